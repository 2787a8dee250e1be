"""What the timer must do: a row in the subscription's own partition, keyed by when it is due.

Such a row is written in the same transaction as what causes it, so that neither can be without the other.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from shared.domain.limits import PENDING_UPLOAD_MINUTES
from shared.domain.profile import ProfileKey, ProfileKind
from shared.services.ports.clock_and_ids import Ids
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import Change, Insert, Merge, Remove, Row, RowExists, RowMissing, Rows, Value
from shared.storage.layout import due_row

ERASE: Final = "erase"
UPLOAD: Final = "upload"
BLOB: Final = "blob"
EXPIRE: Final = "expire"
POLICY: Final = "policy"
DISBAND: Final = "disband"
PRINTS: Final = "prints"

SETTLED: Final = timedelta(minutes=PENDING_UPLOAD_MINUTES)
"""By then every request that still knew the old settings is over, and nobody writes a blob any more: 30 s of remembered
look-ups, 3 minutes at most for a function (``host.json``), and room."""


def erase_due(at: datetime, key: ProfileKey, epoch: int | None, *, armed_at: datetime | None = None) -> Insert:
    """The tombstone of a profile (``epoch`` None) or of one epoch of it: its enrollments and audio are to be erased.

    ``armed_at`` names the row that would have looked for the profile's expiry, and is to go too.
    """
    detail = f"{key.kind.value}:{key.profile_id}:{'all' if epoch is None else epoch}"
    values: dict[str, Value] = {"kind": key.kind.value, "profile_id": key.profile_id}
    if epoch is not None:
        values["epoch"] = epoch
    if armed_at is not None:
        values["armed_at"] = armed_at
    return Insert(due_row(at, ERASE, detail), values)


def expire_due(at: datetime, key: ProfileKey) -> Insert:
    """Look whether the profile has expired."""
    values: dict[str, Value] = {"kind": key.kind.value, "profile_id": key.profile_id, "armed_at": at}
    return Insert(due_row(at, EXPIRE, f"{key.kind.value}:{key.profile_id}"), values)


def armed(
    key: ProfileKey, armed_at: datetime | None, expires_at: datetime | None
) -> tuple[datetime | None, list[Change]]:
    """When the profile is looked at from now on, and what must be written with it for that.

    A row that falls due before the expiry is good enough: the timer arms the profile anew when it comes to it. One
    that falls due behind it is replaced.
    """
    if expires_at is None or (armed_at is not None and armed_at <= expires_at):
        return armed_at, []
    superseded = [] if armed_at is None else [Remove(expire_due(armed_at, key).key)]
    return expires_at, [expire_due(expires_at, key), *superseded]


def begin_walks(rows: Rows, subscription_id: str, action: str, at: datetime, ids: Ids) -> None:
    """To be called *before* a setting is changed, so that no crash can leave a change without a walk.

    One walk starts at once; a second one when nobody can write under the old setting any more.
    """
    for start in (at, at + SETTLED):
        with suppress(RowExists):
            rows.apply(subscription_id, [Insert(due_row(start, action, ids()), {})])


def end_slice(rows: Rows, walk: Row, after: str | None) -> None:
    """The walk's row remembers how far it came, and goes when it is over (``None``)."""
    if after is None:
        remove_silently(rows, walk.partition, walk.key)
    else:
        with suppress(RowMissing):
            rows.apply(walk.partition, [Merge(walk.key, {"after": after})])


def upload_due(started_at: datetime, enrollment_id: str, blob: str) -> Insert:
    """Audio that is being written. Who commits the enrollment takes this row away in the same transaction."""
    return Insert(due_row(started_at + SETTLED, UPLOAD, enrollment_id), {"blob": blob})


def blob_due(upload: Row) -> Insert:
    """What an abandoned upload becomes, at the same time: from then on it cannot be committed any more."""
    _, time, _, detail = upload.key.split(":", 3)
    return Insert(f"due:{time}:{BLOB}:{detail}", dict(upload.values))


def disband_due(at: datetime, group_id: str) -> Insert:
    """Take everybody out of a group that was deleted."""
    return Insert(due_row(at, DISBAND, group_id), {"group_id": group_id})


def action_of(row: Row) -> str:
    return row.key.split(":", 3)[2]


def key_in(row: Row) -> ProfileKey:
    """The profile that a row of something due names."""
    return ProfileKey(row.partition, ProfileKind(row.get("kind", str)), row.get("profile_id", str))
