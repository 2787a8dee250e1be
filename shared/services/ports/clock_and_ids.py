"""Time, ids and secrets, which are passed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Now, in UTC, aware."""

Ids: TypeAlias = Callable[[], str]
"""A new random GUID, lower case with dashes."""

NewKey: TypeAlias = Callable[[], str]
"""A new subscription key: 32 random bytes in hex."""


class ServiceClock(Protocol):
    """Goes by storage's clock, which all instances share."""

    def __call__(self) -> datetime: ...

    def skew(self, since: float) -> timedelta | None:
        """How far this machine's own clock is from storage's, by an answer that came after that moment of
        ``time.monotonic``; ``None`` when none said it."""
