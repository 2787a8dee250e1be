"""Galleries in memory: each brought up to date before it is used, the one unused for longest given up for room.

Bringing up to date is one small read: the number of the last change. When that is not the one known, a range query over
the log of changes says who has changed, and their rows are read. So a gallery holds at least everything that was
acknowledged before the read began. Requests that wait for one another share a read, if it began after they did.

A gallery that is not there yet, or that has been away for more changes than the log holds, is loaded (``loading.py``).
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock, Timer
from typing import Final

from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.keeping import Ranked, Scorer
from shared.storage.backend.ports import Rows
from shared.storage.gallery.gallery import Gallery
from shared.storage.gallery.loading import GalleryLoader
from shared.storage.profiles.change_log import last_change, news
from shared.storage.profiles.expiry import Policies

logger: Final = logging.getLogger(__name__)

IDLE_SECONDS: Final = 3_600.0
"""A gallery that nobody asks for is given up after this."""

RECHECK_SECONDS: Final = 60.0
"""How often the row of a speaker is read anew whose time is over: it may have been used elsewhere since."""

MAX_POINT_READS: Final = 5_000
"""Of more changes than this the gallery is loaded anew."""

_NEVER: Final = float("-inf")


@dataclass
class _Copy:
    """``complete``: how far into the log the gallery goes; ``fresh_from``: when that was asked for.

    Times are monotonic seconds.
    """

    used: float
    lock: Lock = field(default_factory=Lock)
    gallery: Gallery | None = None
    complete: int = 0
    fresh_from: float = _NEVER
    rechecked: dict[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.gallery.bytes_held if self.gallery else 0


class RowGalleries:
    """Implements ``Galleries``. ``max_bytes`` bounds all galleries together; the one in use stays whatever its size."""

    def __init__(
        self,
        voices: Rows,
        loader: GalleryLoader,
        policies: Policies,
        clock: Clock,
        max_bytes: int,
        monotonic: Callable[[], float] = time.monotonic,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._voices, self._loader, self._policies, self._clock = voices, loader, policies, clock
        self._max_bytes, self._monotonic, self._idle_seconds = max_bytes, monotonic, idle_seconds
        self._lock = Lock()
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._timer: Timer | None = None

    def up_to_date(self, subscription_id: str) -> LivingGallery:
        """Raises ``StorageUnavailable``."""
        asked, at = self._monotonic(), self._clock()
        copy = self._copy(subscription_id, asked)
        with copy.lock:
            if copy.gallery is None or copy.fresh_from < asked:
                # Whoever waits here meanwhile has asked before the next read begins, and may share that one.
                began = self._monotonic()
                gallery = self._refreshed(subscription_id, copy)
                self._recheck(subscription_id, copy, gallery, at)
                copy.fresh_from = began
            else:
                gallery = copy.gallery
        self._make_room(subscription_id)
        return LivingGallery(gallery, self._policies, subscription_id, at)

    @property
    def bytes_held(self) -> int:
        with self._lock:
            return sum(copy.size for copy in self._copies.values())

    def _refreshed(self, subscription_id: str, copy: _Copy) -> Gallery:
        gallery = copy.gallery
        if gallery is not None:
            if last_change(self._voices, subscription_id) == copy.complete:
                return gallery
            entries = news(self._voices, subscription_id, copy.complete)
            changed = entries.since(copy.complete)
            if not entries.misses(copy.complete) and len(changed) <= MAX_POINT_READS:
                self._loader.renew(subscription_id, gallery, changed)
                copy.complete = entries.last
                return gallery
            logger.info("gallery_reload subscription=%s changes=%d", subscription_id, entries.last - copy.complete)
        loaded = self._loader.load(subscription_id)
        copy.gallery, copy.complete, copy.rechecked = loaded.gallery, loaded.complete, {}
        return loaded.gallery

    def _recheck(self, subscription_id: str, copy: _Copy, gallery: Gallery, at: datetime) -> None:
        """A use moves the expiry and is no change: who seems to be over may only have been used elsewhere."""
        over, now = gallery.over(self._policies(subscription_id), at.timestamp()), self._monotonic()
        checked = {profile_id: copy.rechecked.get(profile_id, _NEVER) for profile_id in over}
        due = [profile_id for profile_id, when in checked.items() if now - when >= RECHECK_SECONDS]
        self._loader.renew(subscription_id, gallery, due)
        copy.rechecked = checked | dict.fromkeys(due, now)

    def _copy(self, subscription_id: str, now: float) -> _Copy:
        with self._lock:
            copy = self._copies.setdefault(subscription_id, _Copy(now))
            copy.used = now
            self._copies.move_to_end(subscription_id)
            self._watch()
            return copy

    def _make_room(self, in_use: str) -> None:
        """Gives up those unused for longest while all together are too large."""
        with self._lock:
            total = sum(copy.size for copy in self._copies.values())
            for subscription_id, copy in list(self._copies.items()):
                if total <= self._max_bytes:
                    return
                if subscription_id != in_use and not copy.lock.locked():
                    del self._copies[subscription_id]
                    total -= copy.size

    def _watch(self) -> None:
        """A timer gives up what nobody uses any more: of a deleted subscription no request will ever tell."""
        if self._copies and self._timer is None:
            unused = self._monotonic() - next(iter(self._copies.values())).used
            self._timer = Timer(max(self._idle_seconds / 20, self._idle_seconds - unused), self._give_up_idle)
            self._timer.daemon = True
            self._timer.start()

    def _give_up_idle(self) -> None:
        with self._lock:
            latest = self._monotonic() - self._idle_seconds
            for subscription_id in [name for name, copy in self._copies.items() if copy.used <= latest]:
                del self._copies[subscription_id]
            self._timer = None
            self._watch()


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
