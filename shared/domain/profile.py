"""Profiles, their enrollments, and the signature that the enrollments add up to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import numpy as np

from shared.domain.consent import NO_CONSENT, Consent
from shared.domain.limits import VERIFICATION_ENROLLMENTS_NEEDED
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
class Origin:
    """What a signature was made from, and by: only what has the same origin is scored alike."""

    model_id: str
    by_telephone: bool = False


@dataclass(frozen=True)
class Signature:
    """The voice signature: the sum of the enrollments' unit embeddings, each weighted by its seconds of speech.

    A sum can be added to without reading the earlier enrollments; only its direction is ever scored. ``telephone`` is
    the same sum as the enrollments would have sounded over the telephone; ``None`` in a signature that is older than
    that. Recordings that came in the telephone band are in both sums alike.
    """

    pooled: Vector = field(repr=False)
    model_id: str
    speech_seconds: float
    telephone: Vector | None = field(default=None, repr=False)

    @property
    def direction(self) -> Vector:
        """Unit length, shape [dimension]."""
        return np.asarray(self.pooled / np.linalg.norm(self.pooled), dtype=np.float32)

    @property
    def came_by_telephone(self) -> bool:
        """Whether nothing but the telephone band is known of this voice."""
        return self.telephone is not None and bool(np.array_equal(self.telephone, self.pooled))

    @property
    def origin(self) -> Origin:
        return Origin(self.model_id, self.came_by_telephone)

    def over_telephone(self) -> Signature:
        """As the voice sounds over the telephone; unchanged where that is not known."""
        return self if self.telephone is None else replace(self, pooled=self.telephone)

    def plus(self, enrollment: Enrollment) -> Signature:
        """The sum for the telephone is given up when one of the two has none: it would be of another voice."""
        heard = enrollment.signature
        telephone = None
        if self.telephone is not None and heard.telephone is not None:
            telephone = np.asarray(self.telephone + heard.telephone, dtype=np.float32)
        return Signature(
            pooled=np.asarray(self.pooled + heard.pooled, dtype=np.float32),
            model_id=self.model_id,
            speech_seconds=self.speech_seconds + enrollment.speech_seconds,
            telephone=telephone,
        )


@dataclass(frozen=True)
class Enrollment:
    """One accepted recording: its embedding (unit length, shape [dimension]) and what was measured on it.

    ``telephone`` is its embedding as it would have come over the telephone, and the same vector when it did.
    """

    embedding: Vector = field(repr=False)
    model_id: str
    audio_seconds: float
    speech_seconds: float
    snr_db: float
    created_at: datetime
    telephone: Vector | None = field(default=None, repr=False)

    @property
    def weighted(self) -> Vector:
        return np.asarray(self.embedding * self.speech_seconds, dtype=np.float32)

    @property
    def signature(self) -> Signature:
        """The signature of a profile that has this enrollment alone."""
        telephone = None if self.telephone is None else np.asarray(self.telephone * self.speech_seconds, np.float32)
        return Signature(self.weighted, self.model_id, self.speech_seconds, telephone)


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
    stored. ``version`` is the store's mark for optimistic concurrency; empty before the first write.
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
    version: str = field(default="", compare=False)

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
