"""How many instances are at work: each that has requests says so every half minute, and counts who else did."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Final

from shared.domain.errors import TimbreError
from shared.services.ports import Clock, Instances

log = logging.getLogger("timbre.presence")

BEAT_SECONDS: Final = 30.0
"""One write and one small range for each instance in this time, and none without requests."""


def in_background(work: Callable[[], None]) -> None:
    Thread(target=work, name="presence", daemon=True).start()


class Presence:
    """``instance_id`` is this process's own. The request that finds a beat due does not wait for it."""

    def __init__(
        self,
        instances: Instances,
        instance_id: str,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._instances, self._id, self._clock = instances, instance_id, clock
        self._monotonic, self._start = monotonic, start
        self._lock = Lock()
        self._due = -1.0
        self._count = 1

    def __call__(self) -> int:
        """As the last beat found it; 1 before the first. Counts as being at work."""
        now = self._monotonic()
        with self._lock:
            due = self._due < 0 or now >= self._due
            if due:
                self._due = now + BEAT_SECONDS
        if due:
            self._start(self._beat)
        return self._count

    def _beat(self) -> None:
        """Where storage does not answer, the last number stands until the next beat."""
        try:
            self._count = max(1, self._instances.beat(self._id, self._clock()))
        except TimbreError as error:
            log.warning("presence_unknown error=%s", type(error).__name__)
