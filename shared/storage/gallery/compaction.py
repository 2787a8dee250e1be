"""What the timer does for the galleries: writes the packs that are behind, and trims the log of changes.

A pack is loaded as an instance loads it, with what has changed since, and written anew. So a deleted voice is out of
the packs with the next tick. Each step leaves a whole state; the next tick goes on from there.
"""

from __future__ import annotations

from typing import Final

from shared.storage.backend.ports import Rows
from shared.storage.gallery.loading import GalleryLoader
from shared.storage.gallery.packs import Pack, Packs, complete_in
from shared.storage.layout import TALLY
from shared.storage.leftovers import Leftovers
from shared.storage.profiles.change_log import KEPT, last_change, trim
from shared.storage.profiles.removal import count

FEWEST: Final = 5_000
"""Profiles of all kinds. Fewer are read from their rows within a second."""


class RowCompaction:
    """Implements ``Compaction``. Safe to be cut off anywhere, and to run on two instances."""

    def __init__(
        self, voices: Rows, packs: Packs, loader: GalleryLoader, leftovers: Leftovers, fewest: int = FEWEST
    ) -> None:
        self._voices, self._packs, self._loader, self._leftovers = voices, packs, loader, leftovers
        self._fewest = fewest

    def compact(self, subscription_id: str) -> int:
        """Returns 1 for a pack that was written, plus the number of changes that were trimmed."""
        self._leftovers.remove_packs(subscription_id)
        last = last_change(self._voices, subscription_id)
        before = self._packs.row(subscription_id)
        if last == 0 or (before is None and count(self._voices.get(subscription_id, TALLY)) < self._fewest):
            return self._trim(subscription_id, last, last)
        if complete_in(before) < last:
            loaded = self._loader.load(subscription_id, distrust=False)
            pack = Pack(loaded.complete, loaded.gallery.blocks())
            if not self._packs.write(subscription_id, pack, before):
                return 0
            return 1 + self._trim(subscription_id, last, loaded.complete)
        self._packs.remove_others(subscription_id)
        return self._trim(subscription_id, last, last)

    def _trim(self, subscription_id: str, last: int, complete: int) -> int:
        """Instances read the latest ``KEPT`` changes, and those that the pack does not hold."""
        upto = min(complete, last - KEPT)
        return trim(self._voices, subscription_id, upto) if upto > 0 else 0
