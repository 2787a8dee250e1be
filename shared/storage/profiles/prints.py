"""Prints of accepted recordings as rows of their profile, for as long as the subscription refuses or flags replays.

A print is written in one transaction with the profile's own row, which must have stayed as it was since the prints were
read: of two requests with one recording the later sees what the earlier left, and none is left of a profile that is
deleted or reset at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from shared.domain.errors import ProfileBusy, ProfileNotFound
from shared.domain.profile import Profile, ProfileKey
from shared.domain.replay import MAX_PRINTS, Print
from shared.services.ports.clock_and_ids import Ids
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import MAX_CHANGES, Change, Insert, Merge, Remove, Row, Rows, Value
from shared.storage.layout import PRINT, VERIFY, due_row, end_of, entry_place, prints_prefix, profile_row
from shared.storage.profiles.expiry import WALK_SLICE
from shared.storage.profiles.schedule import end_slice
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


def take_away_print(voices: Rows, due: Row) -> None:
    """Its time is over."""
    remove_silently(voices, due.partition, due.get("row", str), due.key)


def walk_prints(voices: Rows, prints_kept: PrintsKept, walk: Row, at: datetime) -> None:
    """Takes away what a subscription keeps no more since its setting was changed, one slice of it.

    Safe to run twice and at once.
    """
    kept, after = prints_kept(walk.partition), walk.maybe("after", str)
    start, select = f"{after}!" if after else VERIFY, ("accepted_at", "due_at")
    rows = list(voices.query(walk.partition, start, end_of(VERIFY), limit=WALK_SLICE, select=select))
    over = [row for row in rows if _is_print(row) and _is_over(row, kept, at)]
    keys = [key for row in over for key in (row.key, _due(row.get("due_at", datetime), _item(row)))]
    for first in range(0, len(keys), MAX_CHANGES):
        remove_silently(voices, walk.partition, *keys[first : first + MAX_CHANGES])
    end_slice(voices, walk, rows[-1].key if len(rows) == WALK_SLICE else None)


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
