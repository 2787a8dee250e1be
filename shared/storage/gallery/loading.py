"""How a gallery comes into memory: from the pack and the log of changes, or from the rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from shared.storage.backend.ports import Row, Rows
from shared.storage.gallery.gallery import Gallery
from shared.storage.gallery.packs import Packs, complete_in
from shared.storage.gallery.speakers import SpeakerReader
from shared.storage.profiles.change_log import last_change, news

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """``complete``: how far into the log of changes the gallery goes."""

    gallery: Gallery
    complete: int


class GalleryLoader:
    def __init__(
        self, voices: Rows, packs: Packs, speakers: SpeakerReader, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._voices, self._packs, self._speakers, self._monotonic = voices, packs, speakers, monotonic

    def load(self, subscription_id: str, *, distrust: bool = True) -> Loaded:
        """``distrust``: a pack that cannot be used is marked, for the next tick to write it anew."""
        started = self._monotonic()
        row = self._packs.row(subscription_id)
        loaded = None if row is None else self._from_pack(subscription_id, row)
        if distrust and row is not None and loaded is None and complete_in(row):
            self._packs.distrust(subscription_id, row)
        loaded = loaded or self._from_rows(subscription_id)
        logger.info("gallery_loaded subscription=%s ms=%.0f", subscription_id, 1000 * (self._monotonic() - started))
        return loaded

    def renew(self, subscription_id: str, gallery: Gallery, ids: Collection[str]) -> None:
        """Reads these speakers anew; who is absent or not enrolled leaves the gallery."""
        for profile_id, speaker in self._speakers.by_ids(subscription_id, list(ids)).items():
            if speaker is None:
                gallery.drop(profile_id)
            else:
                gallery.put(speaker)

    def _from_pack(self, subscription_id: str, row: Row) -> Loaded | None:
        pack = self._packs.read(subscription_id, row)
        if pack is None:
            return None
        entries = news(self._voices, subscription_id, pack.complete)
        if entries.misses(pack.complete):
            return None
        gallery = Gallery(pack.blocks)
        self.renew(subscription_id, gallery, entries.since(pack.complete))
        return Loaded(gallery, entries.last)

    def _from_rows(self, subscription_id: str) -> Loaded:
        complete = last_change(self._voices, subscription_id)
        return Loaded(Gallery(self._speakers.all(subscription_id)), complete)
