"""``python -m tests.integration.migrating CONNECTION PREFIX FOLDER``: ticks of the migration until it is finished.

A process of its own, so that a test can kill it at any moment.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from shared.inference.embedder import OnnxSpeakerModel
from shared.services.migrate import Migrate
from shared.storage.account import StorageAccount
from shared.storage.blobs import AzureBlobs
from shared.storage.migration import RowMigrationStore
from shared.storage.tables import TableRows
from tests.contract.moving import LISTENER, model
from tests.contract.stores import Storage, Stores, instance


def storage_of(connection_string: str, prefix: str) -> Storage:
    account = StorageAccount(connection_string=connection_string)
    rows = [TableRows(account, f"{prefix}{name}") for name in ("voices", "subscriptions", "keys", "audit")]
    return Storage(rows[0], AzureBlobs(account, f"{prefix}audio"), rows[1], rows[2], rows[3])


def models(folder: Path) -> tuple[OnnxSpeakerModel, OnnxSpeakerModel]:
    """The old one and the new one, of different dimensions."""
    return model(folder, "old-1", 24, 1), model(folder, "new-1", 40, 2)


def job(storage: Storage, stores: Stores, to: OnnxSpeakerModel) -> Migrate:
    store = RowMigrationStore(storage.voices, storage.audio, stores.envelope, stores.subscriptions.retention, now)
    return Migrate(stores.subscriptions, store, LISTENER, to, now)


def now() -> datetime:
    return datetime.now(UTC)


def main(connection_string: str, prefix: str, folder: str) -> None:
    storage = storage_of(connection_string, prefix)
    migrate = job(storage, instance(storage), models(Path(folder))[1])
    while migrate():
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
