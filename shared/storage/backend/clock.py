"""The time by storage's clock: what every instance goes by, however wrong its own is.

Each answer of storage says in ``Date`` when it was given, to the second. So storage's clock was, between the moments
when the request was sent and the answer received, inside that second. The offset from this machine's clock is moved
only as far as it contradicts that: where both agree, it stays 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Final

from shared.services.ports.clock_and_ids import Clock

SECOND: Final = timedelta(seconds=1)
"""How exactly the header is written."""


def system_clock() -> datetime:
    return datetime.now(UTC)


class StorageClock:
    """Implements ``ServiceClock``. ``own`` is this machine's clock."""

    def __init__(self, own: Clock = system_clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.own, self._monotonic = own, monotonic
        self._lock = Lock()
        self._offset = timedelta()
        self._heard: float | None = None

    def __call__(self) -> datetime:
        return self.own() + self._offset

    def hear(self, date: str | None, sent: datetime) -> None:
        """The ``Date`` of an answer, to a request that was sent at that moment by this machine's clock.

        An answer without one, or with nonsense in its place, says nothing.
        """
        try:
            answered_at = parsedate_to_datetime(date or "").astimezone(UTC)
        except (ValueError, OverflowError):
            return
        least, most = answered_at - self.own(), answered_at + SECOND - sent
        with self._lock:
            self._offset = min(max(self._offset, least), most)
            self._heard = self._monotonic()

    def skew(self, since: float) -> timedelta | None:
        with self._lock:
            return abs(self._offset) if self._heard is not None and self._heard >= since else None
