"""Galleries in memory: each brought up to date before it is used, the one unused for longest given up for room.

Bringing up to date is one small read: the number of the last change. When that is not the one known, a range query
over the log of changes says who has changed, and their rows are read. So a gallery holds at least everything that was
acknowledged before the read began. Requests that wait for one another share a read, if it began after they did.

A gallery that is not there yet, or that has been away for more changes than the log holds, is loaded: from the packs,
from the rows of every range that no pack can be had of, and then from what the log names behind the packs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Final

from shared.domain.threads import for_this_request
from shared.services.ports import Clock, Ranked, Scorer
from shared.storage.backend.ports import Rows
from shared.storage.gallery.gallery import Gallery
from shared.storage.gallery.packs import FROM_THE_FIRST, Content, Pack, Packs
from shared.storage.gallery.speakers import SpeakerReader, in_columns
from shared.storage.profiles.change_log import News, last_change, news
from shared.storage.profiles.expiry import Policies
from shared.storage.profiles.held import Held

logger: Final = logging.getLogger(__name__)

IDLE_SECONDS: Final = 3_600.0
"""A gallery that nobody asks for is given up after this."""

RECHECK_SECONDS: Final = 60.0
"""How often the row of a speaker is read anew whose time is over: it may have been used elsewhere since."""

MAX_POINT_READS: Final = 5_000
"""Of more changes than this the gallery is loaded anew."""

PACK_READERS: Final = 4


@dataclass
class _Copy:
    """``known``: how far into the log the gallery goes; ``fresh_from``: when that was asked for, monotonic."""

    lock: Lock = field(default_factory=Lock)
    gallery: Gallery | None = None
    known: int = 0
    fresh_from: float = float("-inf")
    looked_at: dict[str, float] = field(default_factory=dict)


def _size(copy: _Copy) -> int:
    return copy.gallery.bytes_held if copy.gallery else 0


class RowGalleries:
    """Implements ``Galleries``. ``max_bytes`` bounds all galleries together; the one in use stays whatever its size."""

    def __init__(
        self,
        voices: Rows,
        packs: Packs,
        reader: SpeakerReader,
        policies: Policies,
        clock: Clock,
        max_bytes: int,
        monotonic: Callable[[], float] = time.monotonic,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._voices, self._packs, self._reader = voices, packs, reader
        self._policies, self._clock, self._max_bytes, self._monotonic = policies, clock, max_bytes, monotonic
        self._held = Held(_Copy, idle_seconds, monotonic)
        self._pack_readers = ThreadPoolExecutor(PACK_READERS, thread_name_prefix="pack-read")

    def up_to_date(self, subscription_id: str) -> LivingGallery:
        """Raises ``StorageUnavailable``."""
        asked, at = self._monotonic(), self._clock()
        held = self._held.of(subscription_id)
        with held.lock:
            if held.gallery is None or held.fresh_from < asked:
                # Whoever waits here meanwhile has asked before the next read begins, and may share that one.
                began = self._monotonic()
                gallery = self._refreshed(subscription_id, held)
                self._look_again(subscription_id, held, gallery, at)
                held.fresh_from = began
            else:
                gallery = held.gallery
        self._held.make_room(
            self._max_bytes, _size, lambda one, copy: one != subscription_id and not copy.lock.locked()
        )
        return LivingGallery(gallery, self._policies, subscription_id, at)

    @property
    def bytes_held(self) -> int:
        return sum(_size(one) for _, one in self._held.longest_unused_first())

    def _refreshed(self, subscription_id: str, held: _Copy) -> Gallery:
        gallery = held.gallery
        if gallery is not None:
            if last_change(self._voices, subscription_id) == held.known:
                return gallery
            said = news(self._voices, subscription_id, held.known)
            changed = said.since(held.known)
            if not said.misses(held.known) and len(changed) <= MAX_POINT_READS:
                self._renew(subscription_id, gallery, changed)
                held.known = said.last
                return gallery
            logger.info("gallery_reload subscription=%s changes=%d", subscription_id, said.last - held.known)
        loaded, held.known = self._loaded(subscription_id)
        held.gallery = loaded
        held.looked_at.clear()
        return loaded

    def _renew(self, subscription_id: str, gallery: Gallery, ids: Collection[str]) -> None:
        for profile_id, speaker in self._reader.these(subscription_id, list(ids)).items():
            if speaker is None:
                gallery.drop(profile_id)
            else:
                gallery.put(speaker)

    def _look_again(self, subscription_id: str, held: _Copy, gallery: Gallery, at: datetime) -> None:
        """A use moves the expiry and is no change: who seems to be over may only have been used elsewhere."""
        over, now = gallery.over(self._policies(subscription_id), at.timestamp()), self._monotonic()
        held.looked_at = {one: when for one, when in held.looked_at.items() if one in over}
        due = [one for one in over if now - held.looked_at.get(one, float("-inf")) >= RECHECK_SECONDS]
        self._renew(subscription_id, gallery, due)
        held.looked_at.update(dict.fromkeys(due, now))

    def _loaded(self, subscription_id: str) -> tuple[Gallery, int]:
        """Packs first, then the log: whatever changed behind a pack is in the log, or the pack is not used."""
        started = self._monotonic()
        manifest = self._packs.manifest(subscription_id)
        read = for_this_request(partial(self._packs.read, subscription_id))
        contents = list(self._pack_readers.map(read, manifest))
        said = news(self._voices, subscription_id, min((one.complete for one in contents if one), default=10**12))
        whole = {
            pack: content
            for pack, content in zip(manifest, contents, strict=True)
            if content is not None and not said.misses(content.complete)
        }
        blocks = [block for content in whole.values() for block in content.blocks]
        for first, until in _gaps(manifest, whole):
            blocks += in_columns(self._reader.between(subscription_id, first, until))
        gallery = Gallery(blocks)
        self._renew(subscription_id, gallery, _changed_behind(said, whole))
        for pack in manifest:
            if pack not in whole:
                self._packs.spoil(subscription_id, pack)
        milliseconds = 1000 * (self._monotonic() - started)
        logger.info("gallery_loaded subscription=%s packs=%d ms=%.0f", subscription_id, len(whole), milliseconds)
        return gallery, said.last


def _gaps(manifest: list[Pack], whole: Collection[Pack]) -> list[tuple[str, str | None]]:
    """The ranges of ids that no pack covers."""
    if not manifest:
        return [(FROM_THE_FIRST, None)]
    before = [(FROM_THE_FIRST, manifest[0].first)] if manifest[0].first != FROM_THE_FIRST else []
    return [*before, *((pack.first, pack.until) for pack in manifest if pack not in whole)]


def _changed_behind(said: News, whole: Mapping[Pack, Content]) -> set[str]:
    """Who has changed since the pack of its range was complete."""
    return {
        profile_id
        for pack, content in whole.items()
        for profile_id in said.since(content.complete)
        if pack.covers(profile_id)
    }


@dataclass(frozen=True)
class LivingGallery:
    """Implements ``SpeakerGallery``: a gallery as of the moment at which it was asked for."""

    gallery: Gallery
    policies: Policies
    subscription_id: str
    at: datetime

    @property
    def models(self) -> Collection[str]:
        return self.gallery.models

    def best(self, scorers: Mapping[str, Scorer], most: int, only: Collection[str] | None = None) -> Ranked:
        return self.gallery.find(scorers, self.policies(self.subscription_id), self.at.timestamp(), most, only)
