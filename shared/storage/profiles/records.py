"""Profiles, enrollments, signatures and operations as the values of rows, and back. The one place that names them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from shared.domain.consent import Consent, ConsentRecord
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation, OperationFailed
from shared.domain.passphrase import PhraseTemplate
from shared.domain.profile import Enrollment, Profile, ProfileKey, ProfileKind, RetentionOverride, Signature
from shared.domain.recording import Vector
from shared.domain.subscription import UNSET, Unset
from shared.storage.backend.ports import Row, RowMalformed, Value
from shared.storage.backend.row_values import read, written
from shared.storage.sealing.envelope import Envelope, template_place

NOTES: Final = (
    "consent_statement", "consent_recorded_at", "consent_channel", "consent_reference", "consent_withdrawn_at",
    "kept_age_days", "kept_idle_days",
)  # fmt: skip
"""What is noted of a profile apart from the voice: the consent, and how long this profile is kept."""

_STATE: Final = (
    "locale", "created_at", "last_action_at", "status", "last_enrolled_at", "enrollments_count", "audio_seconds",
    "speech_seconds", "model_id", "epoch",
)  # fmt: skip

PUBLIC_PROFILE: Final = (*_STATE, "revision", "armed_at", *NOTES)
"""A profile's values apart from the sealed ones: what a list reads."""


@dataclass(frozen=True)
class Version:
    """The store's mark on a profile.

    ``revision`` counts enrollments, resets and notes; a mere use of the profile leaves it alone but changes the ETag.
    So an enroll can tell a race that matters from a verify that passed by. ``etag`` is empty right after a write,
    whose answer does not carry it. ``armed_at`` is the key of the row that lets the timer look whether the profile
    has expired: never later than the expiry. ``None`` when no policy touches the profile.
    """

    revision: int
    etag: str
    armed_at: datetime | None = None

    @classmethod
    def of(cls, profile: Profile) -> Version:
        assert isinstance(profile.version, Version), "a profile that was not read from this store"
        return profile.version


@dataclass(frozen=True)
class SealedVoice:
    """A profile's ciphertexts; ``None`` before the first enrollment."""

    signature: bytes | None = field(default=None, repr=False)
    passphrase: bytes | None = field(default=None, repr=False)


def profile_values(
    profile: Profile, revision: int, sealed: SealedVoice, armed_at: datetime | None = None
) -> dict[str, Value]:
    values = written(profile, _STATE) | notes(profile) | {"revision": revision} | written(sealed)
    return values if armed_at is None else values | {"armed_at": armed_at}


def notes(profile: Profile) -> dict[str, Value]:
    """The values of ``NOTES``. A clock that stands still is written as 0 days, which no policy can say."""
    record, kept = profile.consent.record, profile.retention
    values: dict[str, Value | None] = {
        "consent_withdrawn_at": profile.consent.withdrawn_at,
        "kept_age_days": _days(kept.max_age_days),
        "kept_idle_days": _days(kept.max_idle_days),
    }
    if record is not None:
        values |= {
            "consent_statement": record.statement_id,
            "consent_recorded_at": record.recorded_at,
            "consent_channel": record.channel,
            "consent_reference": record.reference,
        }
    return {name: value for name, value in values.items() if value is not None}


def profile_of(row: Row) -> Profile:
    """Without its passphrase, which is sealed."""
    _, kind, profile_id = row.key.split(":")
    return read(
        row,
        Profile,
        key=ProfileKey(row.partition, ProfileKind(kind), profile_id),
        passphrase=None,
        consent=_consent(row),
        retention=RetentionOverride(_kept(row, "kept_age_days"), _kept(row, "kept_idle_days")),
        expires_at=None,
        version=Version(row.get("revision", int), row.etag, row.maybe("armed_at", datetime)),
    )


def sealed_voice_of(row: Row) -> SealedVoice:
    return read(row, SealedVoice)


TEMPLATE: Final = ("enrollment_id", "template", "front_end")
"""Of an enrollment, what a phrase by example is compared with: all three, or only the first."""


def enrollment_values(
    enrollment: Enrollment,
    enrollment_id: str,
    sealed_embedding: bytes,
    blob: str | None,
    sealed_template: bytes | None = None,
) -> dict[str, Value]:
    """A silent background has no measurable noise: its SNR is infinite, and left out of the row."""
    names = ["model_id", "audio_seconds", "speech_seconds", "created_at"]
    if np.isfinite(enrollment.snr_db):
        names.append("snr_db")
    values = written(enrollment, names) | {"enrollment_id": enrollment_id, "embedding": sealed_embedding}
    if enrollment.template and sealed_template:
        values |= {"template": sealed_template, "front_end": enrollment.template.front_end}
    return values if blob is None else values | {"blob": blob}


def opened_template(envelope: Envelope, profile: Profile, enrollment: Row) -> PhraseTemplate | None:
    """Raises ``SealBroken``."""
    sealed = enrollment.maybe("template", bytes)
    if sealed is None:
        return None
    front_end, enrollment_id = enrollment.get("front_end", str), enrollment.get("enrollment_id", str)
    place = template_place(profile.key, profile.epoch, front_end, enrollment_id)
    return PhraseTemplate(front_end, envelope.open(place, sealed))


_SIGNATURE: Final = struct.Struct("<dB")


def signature_bytes(signature: Signature) -> bytes:
    """Little-endian: seconds of speech as float64, the number of sums as a byte (1), the sum as float32, [dimension].

    There were three sums, for channels of three widths, up to 2026-11: only the first is read, so that the others go
    with the next write.
    """
    return _SIGNATURE.pack(signature.speech_seconds, 1) + vector_bytes(signature.pooled)


def signature_from(plain: bytes, model_id: str) -> Signature:
    speech_seconds, sums = _SIGNATURE.unpack_from(plain)
    pooled = np.split(vector_from(plain[_SIGNATURE.size :]), sums)[0]
    return Signature(pooled, model_id, speech_seconds)


def first_sum(plain: bytes) -> bytes:
    """A signature's bytes as they are written today."""
    return signature_bytes(signature_from(plain, ""))


def vector_bytes(vector: Vector) -> bytes:
    """Little-endian float32, shape [dimension]."""
    return vector.astype("<f4").tobytes()


def vector_from(plain: bytes) -> Vector:
    return np.frombuffer(plain, dtype="<f4").astype(np.float32)


_OUTCOMES: Final = {
    "enrollment": EnrollmentResult,
    "identification": IdentificationResult,
    "failed": OperationFailed,
}


def operation_values(operation: Operation) -> dict[str, Value]:
    (kind,) = (kind for kind, outcome in _OUTCOMES.items() if type(operation.outcome) is outcome)
    return written(operation, ("created_at", "last_action_at")) | written(operation.outcome) | {"outcome": kind}


def operation_of(row: Row) -> Operation:
    outcome = _OUTCOMES.get(row.get("outcome", str))
    if outcome is None:
        raise RowMalformed("outcome")
    return read(
        row,
        Operation,
        subscription_id=row.partition,
        operation_id=row.key.rpartition(":")[2],
        outcome=read(row, outcome),
    )


def _days(days: float | Unset | None) -> float | None:
    return None if isinstance(days, Unset) else float(days or 0.0)


def _kept(row: Row, name: str) -> float | Unset | None:
    days = row.maybe(name, float)
    return UNSET if days is None else days or None


def _consent(row: Row) -> Consent:
    statement = row.maybe("consent_statement", str)
    record = statement and ConsentRecord(
        statement_id=statement,
        recorded_at=row.get("consent_recorded_at", datetime),
        channel=row.maybe("consent_channel", str),
        reference=row.maybe("consent_reference", str),
    )
    return Consent(record or None, row.maybe("consent_withdrawn_at", datetime))
