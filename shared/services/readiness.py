"""Whether the service could do its work now: what it stands on is tried, part by part."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

log: Final = logging.getLogger("timbre.readiness")

KEPT_SECONDS: Final = 10.0
"""Anybody may ask, so asking often must cost nothing: an answer counts for so long."""


class Readiness:
    """``parts`` by name; one that raises is not ready. Whoever asks while they are tried waits for that answer."""

    def __init__(
        self, parts: Mapping[str, Callable[[], object]], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts, self._monotonic = parts, monotonic
        self._lock = Lock()
        self._ready: Mapping[str, bool] = {}
        self._until = 0.0

    def __call__(self) -> Mapping[str, bool]:
        """Every part, and whether it is ready."""
        with self._lock:
            if not self._ready or self._monotonic() >= self._until:
                self._ready = {name: _works(name, part) for name, part in self._parts.items()}
                self._until = self._monotonic() + KEPT_SECONDS
            return self._ready


def _works(name: str, part: Callable[[], object]) -> bool:
    try:
        part()
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, it is not ready
        log.error("not_ready part=%s error=%s", name, type(error).__name__)
        return False
    return True
