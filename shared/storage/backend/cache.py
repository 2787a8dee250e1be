"""What was read from storage, kept in memory for a time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TimedCache(Generic[K, V]):
    """Keeps a value for ``seconds``, and at most ``most`` of them: the one unused for longest goes first.

    ``monotonic`` gives seconds that never run backwards.
    """

    def __init__(self, seconds: float, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._monotonic = seconds, most, monotonic
        self._lock = Lock()
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._generation = 0

    def get(self, key: K) -> V | None:
        with self._lock:
            until, value = self._kept.get(key, (0.0, None))
            if value is None:
                return None
            if self._monotonic() >= until:
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
            return value

    def load(self, key: K, read: Callable[[], V], also: Callable[[V], K] | None = None) -> V:
        """The kept value, or what is read now, which is kept under the key that ``also`` gives too.

        What was read before a ``forget`` does not outlive it.
        """
        generation, value = self._generation, self.get(key)
        if value is not None:
            return value
        value = read()
        with self._lock:
            if generation == self._generation:
                for name in (key, also(value)) if also else (key,):
                    self._kept[name] = (self._monotonic() + self._seconds, value)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return value

    def forget(self, *keys: K) -> None:
        """These keys; without any, everything."""
        with self._lock:
            self._generation += 1
            for key in keys or tuple(self._kept):
                self._kept.pop(key, None)
