"""What this process holds for each subscription, and gives up by itself once nobody asks for it any more."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Timer
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Item(Generic[T]):
    value: T
    used: float


class Held(Generic[T]):
    """Safe for use by several threads; what is handed out must be so itself, and may be given up while in use."""

    def __init__(
        self, make: Callable[[], T], idle_seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._make, self._idle_seconds, self._monotonic = make, idle_seconds, monotonic
        self._items: OrderedDict[str, _Item[T]] = OrderedDict()
        self._lock = Lock()
        self._watch: Timer | None = None

    def of(self, subscription_id: str) -> T:
        """Made when there is none."""
        with self._lock:
            now = self._monotonic()
            item = self._items.get(subscription_id)
            if item is None:
                item = self._items[subscription_id] = _Item(self._make(), now)
            item.used = now
            self._items.move_to_end(subscription_id)
            self._keep_watch()
            return item.value

    def longest_unused_first(self) -> list[tuple[str, T]]:
        with self._lock:
            return [(subscription_id, item.value) for subscription_id, item in self._items.items()]

    def make_room(
        self, most: int, size: Callable[[T], int], may_go: Callable[[str, T], bool] = lambda *_: True
    ) -> None:
        """Give up the longest unused ones while all are too large together."""
        sized = [(subscription_id, value, size(value)) for subscription_id, value in self.longest_unused_first()]
        total = sum(one for _, _, one in sized)
        for subscription_id, value, one in sized:
            if total <= most:
                return
            if may_go(subscription_id, value):
                with self._lock:
                    self._items.pop(subscription_id, None)
                total -= one

    def _keep_watch(self) -> None:
        """Somebody comes back for what nobody uses any more: of a deleted subscription no use will ever tell."""
        if self._items and self._watch is None:
            longest = self._monotonic() - next(iter(self._items.values())).used
            self._watch = Timer(max(self._idle_seconds / 20, self._idle_seconds - longest), self._give_up_idle)
            self._watch.daemon = True
            self._watch.start()

    def _give_up_idle(self) -> None:
        with self._lock:
            now = self._monotonic()
            for subscription_id, item in list(self._items.items()):
                if now - item.used >= self._idle_seconds:
                    del self._items[subscription_id]
            self._watch = None
            self._keep_watch()
