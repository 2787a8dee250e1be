"""What the timer must do: a row in the subscription's own partition, keyed by when it is due.

Such a row is written in the same transaction as what causes it, so that neither can be without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from shared.domain.limits import PENDING_UPLOAD_MINUTES
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.ports import MAX_CHANGES, Blobs, Change, Insert, Remove, Row, RowMissing, Rows, Value
from shared.storage.backend.row_values import Fields
from shared.storage.layout import audio_prefix, due_row, end_of, enrollments_prefix
from shared.storage.profiles.memberships import forget

ERASE: Final = "erase"
UPLOAD: Final = "upload"
BLOB: Final = "blob"
EXPIRE: Final = "expire"
POLICY: Final = "policy"
DISBAND: Final = "disband"

ProfileExpired: TypeAlias = Callable[[ProfileKey, datetime], None]
"""Told of each profile whose time was over, at least once; the time is the tombstone's."""


def erase_due(
    at: datetime, key: ProfileKey, epoch: int | None, *, armed_at: datetime | None = None, expired: bool = False
) -> Insert:
    """The tombstone of a profile (``epoch`` None) or of one epoch of it: its enrollments and audio are to be erased.

    ``armed_at`` names the row that would have looked for the profile's expiry, and is to go too.
    """
    detail = f"{key.kind.value}:{key.profile_id}:{'all' if epoch is None else epoch}"
    values: dict[str, Value] = {"kind": key.kind.value, "profile_id": key.profile_id, "at": at}
    if epoch is not None:
        values["epoch"] = epoch
    if armed_at is not None:
        values["armed_at"] = armed_at
    if expired:
        values["expired"] = True
    return Insert(due_row(at, ERASE, detail), values)


def expire_due(at: datetime, key: ProfileKey) -> Insert:
    """Look whether the profile has expired. ``armed_at`` stays what it is when the row is put off."""
    values: dict[str, Value] = {"kind": key.kind.value, "profile_id": key.profile_id, "armed_at": at}
    return Insert(due_row(at, EXPIRE, f"{key.kind.value}:{key.profile_id}"), values)


def armed(
    key: ProfileKey, armed_at: datetime | None, expires_at: datetime | None
) -> tuple[datetime | None, list[Change]]:
    """When the profile is looked at from now on, and what must be written with it for that.

    A row that falls due before the expiry is good enough: the timer arms the profile anew when it comes to it. One
    that falls due behind it is taken away.
    """
    if expires_at is None or (armed_at is not None and armed_at <= expires_at):
        return armed_at, []
    superseded = [] if armed_at is None else [Remove(expire_due(armed_at, key).key)]
    return expires_at, [expire_due(expires_at, key), *superseded]


def still_needed(rows: Rows, partition: str, changes: Sequence[Change]) -> list[Change]:
    """For a second attempt: the changes without rows of the index that are there already, or gone already.

    The timer puts a row off when it fails over it: then the row stands at another time than the profile says, and may
    come to stand where the profile is to be armed for.
    """

    def is_needed(one: Change) -> bool:
        if f":{EXPIRE}:" not in one.key:
            return True
        return (rows.get(partition, one.key) is None) is isinstance(one, Insert)

    return [one for one in changes if is_needed(one)]


def policy_due(at: datetime, walk_id: str) -> Insert:
    """Look through the subscription's profiles, because its policy changes."""
    return Insert(due_row(at, POLICY, walk_id), {})


def upload_due(started_at: datetime, enrollment_id: str, blob: str) -> Insert:
    """Audio that is being written. Who commits the enrollment takes this row away in the same transaction."""
    return Insert(
        due_row(started_at + timedelta(minutes=PENDING_UPLOAD_MINUTES), UPLOAD, enrollment_id), {"blob": blob}
    )


def blob_due(upload: Row) -> Insert:
    """What an abandoned upload becomes, at the same time: from then on it cannot be committed any more."""
    _, time, _, detail = upload.key.split(":", 3)
    return Insert(f"due:{time}:{BLOB}:{detail}", dict(upload.values))


def action_of(row: Row) -> str:
    return row.key.split(":", 3)[2]


def key_in(row: Row) -> ProfileKey:
    """The profile that a row of something due names."""
    values = Fields(row)
    return ProfileKey(row.partition, ProfileKind(values.text("kind")), values.text("profile_id"))


def tell_nobody(key: ProfileKey, at: datetime) -> None:
    """For who keeps no record of expiries."""


class Eraser:
    """Erases what tombstones name. Safe to run twice, and beside another one."""

    def __init__(self, voices: Rows, audio: Blobs, expired: ProfileExpired = tell_nobody) -> None:
        self._voices, self._audio, self._expired = voices, audio, expired

    def finish(self, subscription_id: str, tombstone: Row) -> None:
        """Enrollments, audio, memberships, the row in the index of expiry, and last the tombstone."""
        key, values = key_in(tombstone), Fields(tombstone)
        epoch, armed_at = values.maybe_integer("epoch"), values.maybe_time("armed_at")
        self._erase_rows(subscription_id, enrollments_prefix(key, epoch))
        if epoch is None and key.kind is ProfileKind.IDENTIFICATION:
            forget(self._voices, key)
        if key.kind.keeps_audio:
            for name in self._audio.names(audio_prefix(key, epoch)):
                self._audio.delete(name)
        if armed_at is not None:
            remove_silently(self._voices, subscription_id, expire_due(armed_at, key).key)
        if tombstone.values.get("expired"):
            self._expired(key, values.time("at"))
        remove_silently(self._voices, subscription_id, tombstone.key)

    def _erase_rows(self, subscription_id: str, prefix: str) -> None:
        while True:
            rows = self._voices.query(subscription_id, prefix, end_of(prefix), limit=MAX_CHANGES, select=())
            changes = [Remove(row.key) for row in rows]
            if not changes:
                return
            # Another eraser may take a row between our reading and removing: then read again what is left. New ones
            # cannot come: who commits an enrollment needs the profile as it was before its tombstone.
            with suppress(RowMissing):
                self._voices.apply(subscription_id, changes)
                if len(changes) < MAX_CHANGES:
                    return


def remove_silently(rows: Rows, partition: str, key: str) -> None:
    with suppress(RowMissing):
        rows.apply(partition, [Remove(key)])
