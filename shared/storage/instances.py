"""Which worker processes are at work: a row for each, written anew while it has requests.

The times are the instances' own clocks; a clock that is off by more than ``SEEN`` makes its instance uncounted, or
counted for as long as it is ahead.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from shared.storage.backend.ports import Insert, Merge, RowConflict, RowMissing, Rows
from shared.storage.backend.row_values import Fields
from shared.storage.profiles.schedule import remove_silently

SEEN: Final = timedelta(seconds=90)
"""Three beats: an instance that was not heard of for so long is no longer counted."""

FORGOTTEN: Final = timedelta(minutes=10)

_PARTITION: Final = "instances"
_FIRST, _LAST = " ", "~"
_MOST_REMOVED: Final = 10
"""Rows of instances long gone that one beat takes away."""


class RowInstances:
    """Implements ``Instances``."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def beat(self, instance_id: str, at: datetime) -> int:
        values = {"seen_at": at}
        try:
            self._rows.apply(_PARTITION, [Merge(instance_id, values)])
        except RowMissing:
            with suppress(RowConflict):  # the first answer was lost
                self._rows.apply(_PARTITION, [Insert(instance_id, values)])
        seen = {row.key: Fields(row).time("seen_at") for row in self._rows.query(_PARTITION, _FIRST, _LAST)}
        for gone in [key for key, time in seen.items() if time < at - FORGOTTEN][:_MOST_REMOVED]:
            remove_silently(self._rows, _PARTITION, gone)
        return sum(time >= at - SEEN for time in seen.values())
