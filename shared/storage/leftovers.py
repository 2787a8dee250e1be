"""Rows and blobs that earlier versions wrote and nothing reads any more: the timer takes them away.

Up to 2026-11 each worker process kept a row in the table ``instances``, and a subscription had a pack of voices for
each range of ids: a row ``pack:<first id>`` and a blob under that id.
"""

from __future__ import annotations

from typing import Final

from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import MAX_CHANGES, Blobs, Rows
from shared.storage.layout import FIRST_KEY, LAST_KEY, end_of, pack_blob

INSTANCES: Final = "instances"
"""The table, and its one partition. No new deployment has it."""

PACK_PREFIX: Final = "pack:"


class Leftovers:
    """Asks once in a process, and again where something was found."""

    def __init__(self, instances: Rows, voices: Rows, galleries: Blobs) -> None:
        self._instances, self._voices, self._galleries = instances, voices, galleries
        self._clean: set[str] = set()

    def remove(self) -> None:
        """At most one transaction. May raise ``StorageUnavailable``, as ``remove_packs`` may."""
        self._remove(self._instances, INSTANCES, FIRST_KEY, LAST_KEY)

    def remove_packs(self, subscription_id: str) -> None:
        """Blobs first: their rows are how they are found."""
        self._remove(self._voices, subscription_id, PACK_PREFIX, end_of(PACK_PREFIX))

    def _remove(self, table: Rows, partition: str, start: str, end: str) -> None:
        if partition in self._clean:
            return
        keys = [row.key for row in table.query(partition, start, end, limit=MAX_CHANGES, select=())]
        for key in keys:
            if key.startswith(PACK_PREFIX):
                self._galleries.delete(pack_blob(partition, key.removeprefix(PACK_PREFIX)))
        remove_silently(table, partition, *keys)
        if not keys:
            self._clean.add(partition)
