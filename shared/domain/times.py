"""Times of the wire: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def date(moment: datetime | None) -> str | None:
    """``2020-01-29T22:48:17.007Z``: with a fraction always, as Android clients parse with a fixed pattern."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read_date(text: str) -> datetime:
    """A date or a time, UTC unless it says otherwise. Raises ``ValueError``, ``OverflowError``."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
