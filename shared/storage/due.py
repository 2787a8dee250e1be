"""What the timer must do: a row in the subscription's own partition, keyed by when it is due.

Such a row is written in the same transaction as what causes it, so that neither can be without the other.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from shared.domain.limits import PENDING_UPLOAD_MINUTES
from shared.domain.operation import Operation
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.fields import Fields
from shared.storage.layout import audio_prefix, due_row, end_of, enrollments_prefix
from shared.storage.ports import MAX_CHANGES, Blobs, Insert, Remove, Row, RowMissing, Rows, Value

ERASE = "erase"
UPLOAD = "upload"
BLOB = "blob"
OPERATION = "operation"


def erase_due(at: datetime, key: ProfileKey, epoch: int | None) -> Insert:
    """The tombstone of a profile (``epoch`` None) or of one epoch of it: its enrollments and audio are to be erased."""
    detail = f"{key.kind.value}:{key.profile_id}:{'all' if epoch is None else epoch}"
    values: dict[str, Value] = {"kind": key.kind.value, "profile_id": key.profile_id}
    return Insert(due_row(at, ERASE, detail), values if epoch is None else values | {"epoch": epoch})


def upload_due(started_at: datetime, enrollment_id: str, blob: str) -> Insert:
    """Audio that is being written. Who commits the enrollment takes this row away in the same transaction."""
    return Insert(
        due_row(started_at + timedelta(minutes=PENDING_UPLOAD_MINUTES), UPLOAD, enrollment_id), {"blob": blob}
    )


def blob_due(upload: Row) -> Insert:
    """What an abandoned upload becomes, at the same time: from then on it cannot be committed any more."""
    _, time, _, detail = upload.key.split(":", 3)
    return Insert(f"due:{time}:{BLOB}:{detail}", dict(upload.values))


def operation_due(operation: Operation) -> Insert:
    return Insert(
        due_row(operation.expires_at, OPERATION, operation.operation_id), {"operation_id": operation.operation_id}
    )


def action_of(row: Row) -> str:
    return row.key.split(":", 3)[2]


class Eraser:
    """Erases what tombstones name. Safe to run twice, and beside another one."""

    def __init__(self, voices: Rows, audio: Blobs) -> None:
        self._voices, self._audio = voices, audio

    def finish(self, subscription_id: str, tombstone: Row) -> None:
        """Enrollments and audio of the profile or epoch, then the tombstone."""
        values = Fields(tombstone)
        key = ProfileKey(subscription_id, ProfileKind(values.text("kind")), values.text("profile_id"))
        epoch = values.maybe_integer("epoch")
        self._erase_rows(subscription_id, enrollments_prefix(key, epoch))
        for name in self._audio.names(audio_prefix(key, epoch)):
            self._audio.delete(name)
        remove_silently(self._voices, subscription_id, tombstone.key)

    def _erase_rows(self, subscription_id: str, prefix: str) -> None:
        while True:
            rows = self._voices.query(subscription_id, prefix, end_of(prefix), limit=MAX_CHANGES, select=())
            changes = [Remove(row.key) for row in rows]
            if not changes:
                return
            # Another eraser may take a row between our reading and removing: then read again what is left.
            with suppress(RowMissing):
                self._voices.apply(subscription_id, changes)


def remove_silently(rows: Rows, partition: str, key: str) -> None:
    with suppress(RowMissing):
        rows.apply(partition, [Remove(key)])
