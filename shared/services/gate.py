"""How many requests are worked on at once, and how many may wait for that.

Work on recordings is bound by processors: more of it at once makes each slower and none more. So a few are worked on,
a few wait, in the order they came and not for long, and everybody else is told at once to come again. What is refused
has cost next to nothing, so a flood of requests does not take the time of those that are let in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Final

from shared.domain.errors import ServiceBusy

RETRY_AFTER_SECONDS: Final = 1
"""Who is refused comes again when everything that waits now has been done, or refused."""


class Gate:
    """``at_once`` (at least 1) are worked on, ``waiting`` more wait for ``wait_seconds`` at most."""

    def __init__(self, at_once: int, waiting: int, wait_seconds: float) -> None:
        self._free, self._most, self._wait_seconds = at_once, waiting, wait_seconds
        self._lock = Lock()
        self._queue: deque[Event] = deque()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Work inside. Raises ``ServiceBusy`` before it, when there is no place or no turn came in time."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        turn = Event()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            if len(self._queue) >= self._most:
                raise ServiceBusy(RETRY_AFTER_SECONDS)
            self._queue.append(turn)
        if turn.wait(self._wait_seconds):
            return
        with self._lock:
            if turn.is_set():  # it came in the very moment
                return
            self._queue.remove(turn)
        raise ServiceBusy(RETRY_AFTER_SECONDS)

    def _leave(self) -> None:
        """A place goes straight to who waits for longest: a newcomer cannot overtake."""
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._free += 1
