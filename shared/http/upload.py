"""How bodies come in: how fast they must come, and how much of them one process holds."""

from __future__ import annotations

import asyncio

from shared.domain.errors import BodyTooSlow, ServiceBusy
from shared.domain.limits import MIN_UPLOAD_BYTES_PER_SECOND, UPLOAD_RATE_SECONDS, UPLOAD_STALL_SECONDS


class BodySpace:
    """Bytes of bodies that this process holds at a time. Used by the server's event loop alone."""

    def __init__(self, maximum: int) -> None:
        self._free = maximum

    def take(self, size: int) -> None:
        """Raises ``ServiceBusy``."""
        if size > self._free:
            raise ServiceBusy
        self._free -= size

    def give_back(self, size: int) -> None:
        self._free += size


class Pace:
    """How fast a body comes, measured over ``UPLOAD_RATE_SECONDS`` at a time."""

    def __init__(self, announced: int | None) -> None:
        self.announced = announced
        self.received = 0
        self._since, self._before = asyncio.get_running_loop().time(), 0

    def count(self, size: int) -> None:
        """Raises ``BodyTooSlow``."""
        self.received += size
        if self._left_seconds() <= 0.0:
            if self._is_slow:
                raise self.refusal
            self._since, self._before = asyncio.get_running_loop().time(), self.received

    @property
    def patience_seconds(self) -> float:
        """How long to wait for the next bytes."""
        return min(UPLOAD_STALL_SECONDS, max(self._left_seconds(), 0.0)) if self._is_slow else UPLOAD_STALL_SECONDS

    @property
    def refusal(self) -> BodyTooSlow:
        return BodyTooSlow(self.received, self.announced)

    @property
    def _is_slow(self) -> bool:
        return self.received - self._before < MIN_UPLOAD_BYTES_PER_SECOND * UPLOAD_RATE_SECONDS

    def _left_seconds(self) -> float:
        return self._since + UPLOAD_RATE_SECONDS - asyncio.get_running_loop().time()
