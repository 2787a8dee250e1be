"""Operations on long recordings: worked on by a timer, a slice at a time, and gone a day after they began.

What was asked for, what was heard so far and what came of it are bytes here: they are sealed where they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.operation import expiry


class LongStatus(StrEnum):
    NOT_STARTED = "notstarted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in (LongStatus.SUCCEEDED, LongStatus.FAILED)


@dataclass(frozen=True)
class Failure:
    """``name`` is that of the error, ``message`` its sentence: both are for the caller, and neither has the URL."""

    name: str
    message: str


@dataclass(frozen=True)
class LongOperation:
    """``percent`` of the recording that has been heard."""

    subscription_id: str
    operation_id: str
    created_at: datetime
    last_action_at: datetime
    status: LongStatus = LongStatus.NOT_STARTED
    percent: int = 0
    result: bytes | None = field(default=None, repr=False)
    failure: Failure | None = None

    @property
    def expires_at(self) -> datetime:
        """By the id, as of all operations."""
        return expiry(self.operation_id)


@dataclass(frozen=True)
class ChannelVoice:
    """Channels that hold the same, from 0. ``number``, from 1, is set where other channels hold other voices."""

    number: int | None
    channels: tuple[int, ...]


@dataclass(frozen=True)
class Lease:
    """The right to work on an open operation for a while.

    ``state`` is what the slice before has handed on, ``None`` at the beginning. ``attempts`` have been made since then,
    this one included. ``version`` and ``blob`` are the store's own.
    """

    subscription_id: str
    operation_id: str
    slot: int
    request: bytes = field(repr=False)
    state: bytes | None = field(repr=False)
    attempts: int
    percent: int
    version: str
    blob: str | None
