"""Time, ids and secrets, which are passed in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now, in UTC, aware."""


class ServiceClock(Clock, Protocol):
    """Goes by storage's clock, which all instances share."""

    def skew(self, since: float) -> timedelta | None:
        """How far this machine's own clock is from storage's, by an answer that came after that moment of
        ``time.monotonic``; ``None`` when none said it."""


class Ids(Protocol):
    def __call__(self) -> str:
        """A new random GUID, lower case with dashes."""


class NewKey(Protocol):
    def __call__(self) -> str:
        """A new subscription key: 32 random bytes in hex."""
