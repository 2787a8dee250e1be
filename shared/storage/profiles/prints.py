"""Prints of accepted recordings as rows of their profile, for as long as the subscription refuses or flags replays.

A print is written in one transaction with the profile's own row, which must have stayed as it was since the prints were
read: of two requests with one recording the later sees what the earlier left, and none is left of a profile that is
deleted or reset at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from shared.domain.errors import ProfileBusy, ProfileNotFound
from shared.domain.profile import Profile, ProfileKey
from shared.domain.replay import MAX_PRINTS, Print
from shared.services.ports.clock_and_ids import Ids
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.ports import (
    MAX_CHANGES,
    Change,
    Insert,
    Merge,
    Remove,
    Row,
    RowExists,
    RowMissing,
    Rows,
    Value,
)
from shared.storage.layout import PRINT, VERIFY, due_row, end_of, entry_place, prints_prefix, profile_row
from shared.storage.profiles.expiry import SETTLED, WALK_SLICE
from shared.storage.profiles.schedule import PRINTS, remove_silently
from shared.storage.sealing.envelope import Envelope, Place, Secret

FRONT_END: Final = "landmarks-1"

PrintsKept: TypeAlias = Callable[[str], timedelta | None]
"""How long a subscription keeps them now; ``None``: not at all."""


class RowPrints:
    """Implements ``PrintStore``. ``voices`` is the table of voice data."""

    def __init__(self, voices: Rows, envelope: Envelope, ids: Ids) -> None:
        self._voices, self._envelope, self._ids = voices, envelope, ids

    def keep_new(
        self, profile: Profile, found: Print, days: float, at: datetime, repeats: Callable[[Sequence[Print]], bool]
    ) -> bool:
        key, kept = profile.key, timedelta(days=days)

        def attempt() -> bool:
            row = self._voices.get(key.subscription_id, profile_row(key))
            if row is None or row.get("epoch", int) != profile.epoch:
                raise ProfileNotFound(key.profile_id)
            prefix = prints_prefix(key, profile.epoch)
            rows = list(self._voices.query(key.subscription_id, prefix, end_of(prefix)))
            if repeats([self._opened(profile, one) for one in rows if not _is_over(one, kept, at)]):
                return False
            unchanged = Merge(row.key, {"epoch": profile.epoch}, row.etag)
            oldest = [Remove(one.key) for one in rows[: max(0, len(rows) + 1 - MAX_PRINTS)]]
            self._voices.apply(key.subscription_id, [unchanged, *self._insertion(profile, found, at, kept), *oldest])
            return True

        return compare_and_swap(attempt, ProfileBusy(key.profile_id))

    def _insertion(self, profile: Profile, found: Print, at: datetime, kept: timedelta) -> list[Change]:
        """The print, and what lets the timer take it away."""
        item = entry_place(at, self._ids())
        key = f"{prints_prefix(profile.key, profile.epoch)}{item}"
        sealed = self._envelope.seal(_place(profile.key, profile.epoch, item), found.to_bytes())
        values: dict[str, Value] = {"accepted_at": at, "due_at": at + kept, "print": sealed}
        return [Insert(key, values), Insert(_due(at + kept, item), {"row": key})]

    def _opened(self, profile: Profile, row: Row) -> Print:
        item = row.key.removeprefix(prints_prefix(profile.key, profile.epoch))
        place = _place(profile.key, profile.epoch, item)
        return Print.from_bytes(self._envelope.open(place, row.get("print", bytes)))


class PrintTaker:
    """Takes away a print whose time is over. Handles a row of something due; safe to run twice and at once."""

    def __init__(self, voices: Rows) -> None:
        self._voices = voices

    def __call__(self, subscription_id: str, due: Row, at: datetime) -> None:  # noqa: ARG002
        remove_silently(self._voices, subscription_id, due.get("row", str))
        remove_silently(self._voices, subscription_id, due.key)


class PrintWalk:
    """Takes away what a subscription keeps no more since its setting was changed. Safe to run twice and at once."""

    def __init__(self, voices: Rows, kept: PrintsKept, ids: Ids) -> None:
        self._voices, self._kept, self._ids = voices, kept, ids

    def begin(self, subscription_id: str, at: datetime) -> None:
        """To be called *before* the change, and again when nobody can write under the old setting any more."""
        for start in (at, at + SETTLED):
            with suppress(RowExists):
                self._voices.apply(subscription_id, [Insert(due_row(start, PRINTS, self._ids()), {})])

    def __call__(self, subscription_id: str, due: Row, at: datetime) -> None:
        """One slice; the row remembers how far it came and goes when the walk is over."""
        kept, after = self._kept(subscription_id), due.maybe("after", str)
        select = ("accepted_at", "due_at")
        start, end = f"{after}!" if after else VERIFY, end_of(VERIFY)
        rows = list(self._voices.query(subscription_id, start, end, limit=WALK_SLICE, select=select))
        over = [row for row in rows if _is_print(row) and _is_over(row, kept, at)]
        for first in range(0, len(over), MAX_CHANGES // 2):
            compare_and_swap(partial(self._erase, subscription_id, over[first : first + MAX_CHANGES // 2]))
        if len(rows) < WALK_SLICE:
            remove_silently(self._voices, subscription_id, due.key)
        else:
            with suppress(RowMissing):
                self._voices.apply(subscription_id, [Merge(due.key, {"after": rows[-1].key})])

    def _erase(self, subscription_id: str, rows: Sequence[Row]) -> None:
        """With the rows that would have taken them away; each by itself where one of them is gone already."""
        keys = [key for row in rows for key in (row.key, _due(row.get("due_at", datetime), _item(row)))]
        try:
            self._voices.apply(subscription_id, [Remove(key) for key in keys])
        except RowMissing:
            for key in keys:
                remove_silently(self._voices, subscription_id, key)


def _is_print(row: Row) -> bool:
    return row.key.split(":")[4] == PRINT


def _is_over(row: Row, kept: timedelta | None, at: datetime) -> bool:
    return kept is None or row.get("accepted_at", datetime) + kept <= at


def _item(row: Row) -> str:
    """``<time>:<id>``."""
    return row.key.split(":", 5)[5]


def _due(at: datetime, item: str) -> str:
    return due_row(at, PRINT, item)


def _place(key: ProfileKey, epoch: int, item: str) -> Place:
    return Place(key, Secret.PRINT, epoch, FRONT_END, item)
