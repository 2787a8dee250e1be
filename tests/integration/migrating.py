"""``python -m tests.integration.migrating CONNECTION PREFIX FOLDER``: ticks of the migration until it is finished.

A process of its own, so that a test can kill it at any moment.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shared.services.migrate import SECONDS, Migrate
from shared.services.sweep import Sweep
from shared.storage.backend.account import StorageAccount
from shared.storage.stores import Storage
from tests.contract.moving import LISTENER, opened
from tests.contract.stores import instance

NEW_MODEL: Final = "new-1"
NEW_DIMENSION: Final = 40


def storage_of(connection_string: str, prefix: str) -> Storage:
    account = StorageAccount(connection_string=connection_string)
    return Storage.in_azure(account, prefix)


def now() -> datetime:
    return datetime.now(UTC)


def main(connection_string: str, prefix: str, folder: str) -> None:
    storage = storage_of(connection_string, prefix)
    stores = instance(storage)
    to = opened(Path(folder), NEW_MODEL, NEW_DIMENSION)
    migrate = Migrate(Sweep("migration", SECONDS, stores.subscriptions), stores.migrations, LISTENER, to, now)
    while migrate():
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
