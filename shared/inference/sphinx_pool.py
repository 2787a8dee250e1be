"""Decoders that wait for their next utterance."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

from shared.inference.sphinx_decoder import Decoder


class DecoderPool:
    """``at_once`` decoders are at work at a time; the ``spare`` that were used last wait for calls with the same key.

    ``spare`` is at first three for each place, a grammar, a spotter and digits, and one more. A decoder takes about
    20 ms to make and 5 MB. Safe to share between threads.
    """

    def __init__(self, at_once: int = 1, spare: int | None = None) -> None:
        self._spare = 3 * at_once + 1 if spare is None else spare
        self._places = Semaphore(at_once)
        self._lock = Lock()
        self._waiting: list[tuple[Hashable, Decoder]] = []  # the latest last

    @contextmanager
    def lease(self, key: Hashable, make: Callable[[], Decoder]) -> Iterator[Decoder]:
        """One that nobody else uses meanwhile. Where the caller's work fails, it is not used again."""
        with self._places:
            decoder = self._take(key) or make()
            yield decoder
            self._give_back(key, decoder)

    def _take(self, key: Hashable) -> Decoder | None:
        with self._lock:
            for place in reversed(range(len(self._waiting))):
                if self._waiting[place][0] == key:
                    return self._waiting.pop(place)[1]
        return None

    def _give_back(self, key: Hashable, decoder: Decoder) -> None:
        with self._lock:
            self._waiting.append((key, decoder))
            gone = self._waiting[: -self._spare]
            del self._waiting[: -self._spare]
        del gone  # outside of the lock, as to take a decoder down takes its time
