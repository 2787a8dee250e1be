"""The log of changes: what tells an instance which signatures it holds are no longer the stored ones.

Whatever changes how an identification profile is scored, or whether it is (enroll, reset, delete, expiry, a consent
withdrawn, a retention of its own, a migration), adds one row to the log in its own transaction. The rows are numbered
without gaps: the transaction also replaces the head row, which holds the last number, under its ETag. So the order of
the log is the order of the commits and no clock is part of it: a reader that knows everything up to a number misses
nothing of what comes behind, however slow or wrong the clocks of the writers are.

The price is that writers of one subscription meet at the head, as creates and deletes meet at the count of profiles.

Old rows are taken away (``trim``); a reader that has been away for too long sees the gap and loads anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.erasing import remove_range
from shared.storage.backend.ports import Change, Insert, Replace, Row, Rows
from shared.storage.layout import CHANGE_HEAD, change_number, change_row, end_of

KEPT: Final = 1_000
"""So many of the latest changes stay in any case: one page of Azure's. An instance that is behind by more loads its
gallery anew."""

_END: Final = end_of("change:")


@dataclass(frozen=True)
class News:
    """What the log says to a reader who knows it up to a number.

    ``changed`` maps the numbers of (``floor``, ``last``], each of them, to profile ids. A reader who knows less than
    ``floor`` has missed something.
    """

    last: int
    floor: int
    changed: Mapping[int, str]

    def misses(self, known: int) -> bool:
        """Whether something happened that this reader cannot learn from the log any more."""
        return not self.floor <= known <= self.last

    def since(self, known: int) -> set[str]:
        return {profile_id for number, profile_id in self.changed.items() if number > known}


def logged(rows: Rows, key: ProfileKey) -> list[Change]:
    """What the transaction that changes the profile must also do. One read; anew for each attempt.

    Nothing for the kinds that no gallery holds.
    """
    if key.kind is not ProfileKind.IDENTIFICATION:
        return []
    head = rows.get(key.subscription_id, CHANGE_HEAD)
    number = _last(head) + 1
    moved: Change = (
        Insert(CHANGE_HEAD, {"last": number}) if head is None else Replace(CHANGE_HEAD, {"last": number}, head.etag)
    )
    return [moved, Insert(change_row(number), {"profile_id": key.profile_id})]


def last_change(rows: Rows, subscription_id: str) -> int:
    """0 before the first."""
    return _last(rows.get(subscription_id, CHANGE_HEAD))


def news(rows: Rows, subscription_id: str, known: int) -> News:
    """One range query."""
    entries = list(rows.query(subscription_id, CHANGE_HEAD, change_row(known)))
    head = entries[0] if entries and entries[0].key == CHANGE_HEAD else None
    last, changed = _last(head), {}
    floor = last
    for row in entries[1:]:
        number = change_number(row.key)
        if number > last:
            continue  # written between two pages of the answer
        if number != floor:
            break
        changed[number] = row.get("profile_id", str)
        floor -= 1
    return News(last, floor, changed)


def trim(rows: Rows, subscription_id: str, upto: int) -> int:
    """Take away the changes numbered up to that; returns how many."""
    return remove_range(rows, subscription_id, change_row(upto), _END)


def _last(head: Row | None) -> int:
    return 0 if head is None else head.get("last", int)
