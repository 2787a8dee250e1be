"""Operations of v1.0: the stored result of an identification enroll or identify.

Only results are stored. The recording was worked on inside the request and is gone when the operation is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.domain.decision import Confidence
from shared.domain.limits import OPERATION_HOURS
from shared.domain.profile import EnrollmentStatus


@dataclass(frozen=True)
class EnrollmentResult:
    """``details`` in JSON, as ``shared/http/details.py`` writes and reads them; ``None``: not asked for."""

    status: EnrollmentStatus
    speech_seconds: float
    enrollment_speech_seconds: float
    remaining_speech_seconds: float
    details: str | None = None


@dataclass(frozen=True)
class IdentificationResult:
    """``profile_id`` is ``None`` for a speaker who is none of the candidates. ``details`` as above."""

    profile_id: str | None
    confidence: Confidence
    details: str | None = None


@dataclass(frozen=True)
class OperationFailed:
    """``message`` starts with the contract's token, for example ``IncompleteEnrollment``."""

    message: str


@dataclass(frozen=True)
class Operation:
    subscription_id: str
    operation_id: str
    created_at: datetime
    last_action_at: datetime
    outcome: EnrollmentResult | IdentificationResult | OperationFailed

    @property
    def expires_at(self) -> datetime:
        return expiry(self.operation_id)


def operation_id(created_at: datetime, random_id: str) -> str:
    """A UUID of version 7 (RFC 9562): the moment in milliseconds, version and variant, and for the other 74 bits those
    of ``random_id``. The id alone says until when the result is kept, so that the row that ends it can be the result.
    """
    random = UUID(random_id).int & (0xFFF << 64 | (1 << 62) - 1)
    return str(UUID(int=_milliseconds(created_at) << 80 | 7 << 76 | 0b10 << 62 | random))


def expiry(operation_id: str) -> datetime:
    """Until when the result is kept. Raises ``ValueError`` for what is no id of an operation."""
    known = UUID(operation_id)
    if known.version != 7:
        raise ValueError(f"{operation_id} is not an operation's id.")
    try:
        return _EPOCH + timedelta(milliseconds=known.int >> 80, hours=OPERATION_HOURS)
    except OverflowError as error:
        raise ValueError(f"{operation_id} is of no time.") from error


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
