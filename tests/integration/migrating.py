"""``python -m tests.integration.migrating CONNECTION PREFIX FOLDER``: ticks of the migration until it is finished.

A process of its own, so that a test can kill it at any moment.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shared.services.migrate import Migrate
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.blobs import AzureBlobs
from shared.storage.backend.tables import TableRows
from shared.storage.profiles.migration import RowMigrationStore
from tests.contract.moving import LISTENER, opened
from tests.contract.stores import Storage, Stores, instance

NEW_MODEL: Final = "new-1"
NEW_DIMENSION: Final = 40


def storage_of(connection_string: str, prefix: str) -> Storage:
    account = StorageAccount(connection_string=connection_string)
    rows = [TableRows(account, f"{prefix}{name}") for name in ("voices", "subscriptions", "keys", "audit")]
    return Storage(rows[0], AzureBlobs(account, f"{prefix}audio"), rows[1], rows[2], rows[3])


def migrations(storage: Storage, stores: Stores) -> RowMigrationStore:
    return RowMigrationStore(storage.voices, storage.audio, stores.envelope, stores.subscriptions.retention, now)


def now() -> datetime:
    return datetime.now(UTC)


def main(connection_string: str, prefix: str, folder: str) -> None:
    storage = storage_of(connection_string, prefix)
    stores = instance(storage)
    to = opened(Path(folder), NEW_MODEL, NEW_DIMENSION)
    migrate = Migrate(stores.subscriptions, migrations(storage, stores), LISTENER, to, now)
    while migrate():
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
