"""Profiles, their enrollments, and the signature that the enrollments add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np

from shared.domain.consent import NO_CONSENT, Consent
from shared.domain.limits import VERIFICATION_ENROLLMENTS_NEEDED
from shared.domain.passphrase import BY_EXAMPLE, PhraseTemplate
from shared.domain.recording import Vector
from shared.domain.subscription import UNSET, Unset


class ProfileKind(StrEnum):
    """The values stand in row keys and blob paths."""

    TEXT_DEPENDENT_VERIFICATION = "tdv"
    TEXT_INDEPENDENT_VERIFICATION = "tiv"
    IDENTIFICATION = "tii"

    @property
    def keeps_audio(self) -> bool:
        """Enrollment audio is kept for identification only, so that signatures can be rebuilt for another model."""
        return self is ProfileKind.IDENTIFICATION

    @property
    def needs_phrase(self) -> bool:
        return self is ProfileKind.TEXT_DEPENDENT_VERIFICATION


class EnrollmentStatus(StrEnum):
    ENROLLING = "Enrolling"
    TRAINING = "Training"
    ENROLLED = "Enrolled"


@dataclass(frozen=True)
class ProfileKey:
    """Where a profile stands. Ids are lower-case GUIDs with dashes."""

    subscription_id: str
    kind: ProfileKind
    profile_id: str


@dataclass(frozen=True)
class Signature:
    """The voice signature: the sum of the enrollments' unit embeddings, each weighted by its seconds of speech.

    A sum can be added to without reading the earlier enrollments; only its direction is ever scored.
    """

    pooled: Vector = field(repr=False)
    model_id: str
    speech_seconds: float

    @property
    def direction(self) -> Vector:
        """Unit length, shape [dimension]."""
        return np.asarray(self.pooled / np.linalg.norm(self.pooled), dtype=np.float32)

    def plus(self, enrollment: Enrollment) -> Signature:
        return Signature(
            pooled=np.asarray(self.pooled + enrollment.signature.pooled, dtype=np.float32),
            model_id=self.model_id,
            speech_seconds=self.speech_seconds + enrollment.speech_seconds,
        )


@dataclass(frozen=True)
class Enrollment:
    """One accepted recording: its embedding (unit length, shape [dimension]) and what was measured on it.

    ``template`` is of a phrase by example.
    """

    embedding: Vector = field(repr=False)
    model_id: str
    audio_seconds: float
    speech_seconds: float
    snr_db: float
    created_at: datetime
    template: PhraseTemplate | None = None

    @property
    def signature(self) -> Signature:
        """The signature of a profile that has this enrollment alone."""
        pooled = np.asarray(self.embedding * self.speech_seconds, dtype=np.float32)
        return Signature(pooled, self.model_id, self.speech_seconds)


@dataclass(frozen=True)
class RetentionOverride:
    """How long this one profile is kept: days, ``None`` until it is deleted, unset as its subscription says."""

    max_age_days: float | Unset | None = UNSET
    max_idle_days: float | Unset | None = UNSET


@dataclass(frozen=True)
class Profile:
    """What is known of a speaker, apart from the voice itself.

    ``epoch`` counts resets: enrollments of an earlier epoch are unreachable from the moment of the reset, whether or
    not they are erased yet. ``expires_at`` is worked out at every reading from the policy of that moment and never
    stored. ``version`` is the store's own mark for optimistic concurrency; ``None`` before the first write.
    """

    key: ProfileKey
    locale: str
    created_at: datetime
    last_action_at: datetime
    status: EnrollmentStatus = EnrollmentStatus.ENROLLING
    last_enrolled_at: datetime | None = None
    enrollments_count: int = 0
    audio_seconds: float = 0.0
    speech_seconds: float = 0.0
    passphrase: str | None = field(default=None, repr=False)
    model_id: str | None = None
    epoch: int = 0
    consent: Consent = NO_CONSENT
    retention: RetentionOverride = RetentionOverride()
    expires_at: datetime | None = field(default=None, compare=False)
    version: object = field(default=None, compare=False)

    @property
    def is_by_example(self) -> bool:
        """Whether its takes are its phrase, from the first one on."""
        return self.passphrase == BY_EXAMPLE

    @property
    def is_enrolled(self) -> bool:
        return self.status is EnrollmentStatus.ENROLLED

    @property
    def is_active(self) -> bool:
        """From the first enrollment on, which has the activation phrase where it is asked for."""
        return self.enrollments_count > 0

    @property
    def remaining_enrollments(self) -> int:
        return max(0, VERIFICATION_ENROLLMENTS_NEEDED - self.enrollments_count)

    def remaining_speech_seconds(self, needed: float) -> float:
        return max(0.0, needed - self.speech_seconds)
