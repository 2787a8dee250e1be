"""Rows that earlier versions wrote and nothing reads any more: the timer takes them away.

Up to 2026-11 each worker process kept a row of its own in the table ``instances``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from shared.storage.backend.ports import MAX_CHANGES, Remove, RowMissing, Rows

PARTITION: Final = "instances"
_FIRST, _END = " ", "~"


class Leftovers:
    """``instances`` is the table of that name. One query at each tick until the table is empty, then none."""

    def __init__(self, instances: Rows) -> None:
        self._instances = instances
        self._gone = False

    def remove(self) -> None:
        """At most one transaction. May raise ``StorageUnavailable``."""
        if self._gone:
            return
        rows = list(self._instances.query(PARTITION, _FIRST, _END, limit=MAX_CHANGES, select=()))
        with suppress(RowMissing):  # another instance removes them too
            self._instances.apply(PARTITION, [Remove(row.key) for row in rows])
        self._gone = not rows
