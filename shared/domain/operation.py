"""Operations of v1.0: the stored result of an identification enroll or identify.

Only results are stored. The recording was worked on inside the request and is gone when the operation is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.decision import Confidence
from shared.domain.limits import OPERATION_HOURS
from shared.domain.profile import EnrollmentStatus


@dataclass(frozen=True)
class EnrollmentResult:
    status: EnrollmentStatus
    speech_seconds: float
    enrollment_speech_seconds: float
    remaining_speech_seconds: float


@dataclass(frozen=True)
class IdentificationResult:
    """``profile_id`` is ``None`` for a speaker who is none of the candidates."""

    profile_id: str | None
    confidence: Confidence


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
        return self.created_at + timedelta(hours=OPERATION_HOURS)
