"""Request bodies on their way here: how many bytes a process holds at a time, and how slowly they may come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.domain.errors import BodyTooSlow, ServiceBusy
from shared.domain.limits import MIN_UPLOAD_BYTES_PER_SECOND, UPLOAD_RATE_SECONDS, UPLOAD_STALL_SECONDS


class BodySpace:
    """Bytes of bodies that this process holds at a time. Used by the server's event loop alone."""

    def __init__(self, maximum: int) -> None:
        self._free = maximum

    @property
    def free(self) -> int:
        return self._free

    def take(self, size: int) -> None:
        """Raises ``ServiceBusy``."""
        if size > self._free:
            raise ServiceBusy
        self._free -= size

    def give_back(self, size: int) -> None:
        self._free += size


@dataclass(frozen=True)
class Patience:
    """How slowly a body may come."""

    stall_seconds: float = UPLOAD_STALL_SECONDS
    rate_seconds: float = UPLOAD_RATE_SECONDS
    bytes_per_second: float = MIN_UPLOAD_BYTES_PER_SECOND


class Pace:
    """How fast a body comes, measured over ``rate_seconds`` at a time. Needs a running event loop."""

    def __init__(self, announced: int | None, patience: Patience) -> None:
        self.announced, self.received = announced, 0
        self._patience = patience
        self._since, self._before = self._now(), 0

    def count(self, size: int) -> None:
        """Raises ``BodyTooSlow``."""
        self.received += size
        if self._left_seconds() <= 0.0:
            if self._is_slow:
                raise self.refusal
            self._since, self._before = self._now(), self.received

    @property
    def patience_seconds(self) -> float:
        """How long to wait for the next bytes."""
        stall = self._patience.stall_seconds
        return min(stall, max(self._left_seconds(), 0.0)) if self._is_slow else stall

    @property
    def refusal(self) -> BodyTooSlow:
        return BodyTooSlow(self.received, self.announced)

    @property
    def _is_slow(self) -> bool:
        return self.received - self._before < self._patience.bytes_per_second * self._patience.rate_seconds

    def _left_seconds(self) -> float:
        return self._since + self._patience.rate_seconds - self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
