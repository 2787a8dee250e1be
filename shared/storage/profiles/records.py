"""Profiles, enrollments, signatures and operations as the values of rows, and back. The one place that names them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from shared.domain.consent import Consent, ConsentRecord
from shared.domain.decision import Confidence
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation, OperationFailed
from shared.domain.profile import (
    Enrollment,
    EnrollmentStatus,
    Profile,
    ProfileKey,
    ProfileKind,
    RetentionOverride,
    Signature,
)
from shared.domain.recording import Vector
from shared.domain.subscription import UNSET, Unset
from shared.storage.backend.ports import Row, Value
from shared.storage.backend.row_values import Fields, RowMalformed

NOTES: Final = (
    "consent_statement", "consent_recorded_at", "consent_channel", "consent_reference", "consent_withdrawn_at",
    "kept_age_days", "kept_idle_days",
)  # fmt: skip
"""What is noted beside the voice: the consent, and how long this profile is kept."""

PUBLIC_PROFILE: Final = (
    "locale", "created_at", "last_action_at", "status", "last_enrolled_at", "enrollments_count", "audio_seconds",
    "speech_seconds", "model_id", "epoch", "revision", "armed_at", *NOTES,
)  # fmt: skip
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

    def __str__(self) -> str:
        return f"{self.revision} {self.etag} {self.armed_at.isoformat() if self.armed_at else ''}"

    @classmethod
    def of(cls, profile: Profile) -> Version:
        revision, etag, armed_at = profile.version.split(" ")
        return cls(int(revision), etag, datetime.fromisoformat(armed_at) if armed_at else None)


@dataclass(frozen=True)
class SealedVoice:
    """A profile's ciphertexts; ``None`` before the first enrollment."""

    signature: bytes | None = field(default=None, repr=False)
    passphrase: bytes | None = field(default=None, repr=False)


def profile_values(
    profile: Profile, revision: int, sealed: SealedVoice, armed_at: datetime | None = None
) -> Mapping[str, Value]:
    return _present(
        {
            **notes(profile),
            "armed_at": armed_at,
            "locale": profile.locale,
            "created_at": profile.created_at,
            "last_action_at": profile.last_action_at,
            "status": profile.status.value,
            "last_enrolled_at": profile.last_enrolled_at,
            "enrollments_count": profile.enrollments_count,
            "audio_seconds": float(profile.audio_seconds),
            "speech_seconds": float(profile.speech_seconds),
            "model_id": profile.model_id,
            "epoch": profile.epoch,
            "revision": revision,
            "signature": sealed.signature,
            "passphrase": sealed.passphrase,
        }
    )


def notes(profile: Profile) -> dict[str, Value]:
    """The values of ``NOTES``. A clock that stands still is written as 0 days, which no policy can say."""
    record, kept = profile.consent.record, profile.retention
    found: dict[str, Value | None] = {
        "consent_withdrawn_at": profile.consent.withdrawn_at,
        "kept_age_days": _days(kept.max_age_days),
        "kept_idle_days": _days(kept.max_idle_days),
    }
    if record is not None:
        found |= {
            "consent_statement": record.statement_id,
            "consent_recorded_at": record.recorded_at,
            "consent_channel": record.channel,
            "consent_reference": record.reference,
        }
    return _present(found)


def _days(days: float | Unset | None) -> float | None:
    return None if isinstance(days, Unset) else float(days or 0.0)


def _kept(values: Fields, name: str) -> float | Unset | None:
    days = values.maybe_number(name)
    return UNSET if days is None else days or None


def _consent(values: Fields) -> Consent:
    statement = values.maybe_text("consent_statement")
    record = statement and ConsentRecord(
        statement_id=statement,
        recorded_at=values.time("consent_recorded_at"),
        channel=values.maybe_text("consent_channel"),
        reference=values.maybe_text("consent_reference"),
    )
    return Consent(record or None, values.maybe_time("consent_withdrawn_at"))


def profile_of(row: Row, kind: ProfileKind) -> Profile:
    """Without its passphrase, which is sealed."""
    values = Fields(row)
    return Profile(
        key=ProfileKey(row.partition, kind, row.key.rpartition(":")[2]),
        locale=values.text("locale"),
        created_at=values.time("created_at"),
        last_action_at=values.time("last_action_at"),
        status=EnrollmentStatus(values.text("status")),
        last_enrolled_at=values.maybe_time("last_enrolled_at"),
        enrollments_count=values.integer("enrollments_count"),
        audio_seconds=values.number("audio_seconds"),
        speech_seconds=values.number("speech_seconds"),
        model_id=values.maybe_text("model_id"),
        epoch=values.integer("epoch"),
        consent=_consent(values),
        retention=RetentionOverride(_kept(values, "kept_age_days"), _kept(values, "kept_idle_days")),
        version=str(Version(values.integer("revision"), row.etag, values.maybe_time("armed_at"))),
    )


def sealed_voice_of(row: Row) -> SealedVoice:
    values = Fields(row)
    return SealedVoice(values.maybe_binary("signature"), values.maybe_binary("passphrase"))


def enrollment_values(
    enrollment: Enrollment, enrollment_id: str, sealed_embedding: bytes, blob: str | None
) -> Mapping[str, Value]:
    return _present(
        {
            "enrollment_id": enrollment_id,
            "model_id": enrollment.model_id,
            "audio_seconds": float(enrollment.audio_seconds),
            "speech_seconds": float(enrollment.speech_seconds),
            "snr_db": float(enrollment.snr_db) if np.isfinite(enrollment.snr_db) else None,
            "created_at": enrollment.created_at,
            "embedding": sealed_embedding,
            "blob": blob,
        }
    )


def enrollment_of(row: Row, embedding: Vector) -> Enrollment:
    """A silent background has no measurable noise: its SNR is infinite, and left out of the row."""
    values = Fields(row)
    return Enrollment(
        embedding=embedding,
        model_id=values.text("model_id"),
        audio_seconds=values.number("audio_seconds"),
        speech_seconds=values.number("speech_seconds"),
        snr_db=values.number("snr_db") if "snr_db" in row.values else float("inf"),
        created_at=values.time("created_at"),
    )


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


def one_sum(plain: bytes) -> bytes:
    """A signature's bytes as they are written today."""
    return signature_bytes(signature_from(plain, ""))


def vector_bytes(vector: Vector) -> bytes:
    """Little-endian float32, shape [dimension]."""
    return vector.astype("<f4").tobytes()


def vector_from(plain: bytes) -> Vector:
    return np.frombuffer(plain, dtype="<f4").astype(np.float32)


def operation_values(operation: Operation) -> Mapping[str, Value]:
    times = {"created_at": operation.created_at, "last_action_at": operation.last_action_at}
    outcome: dict[str, Value | None]
    match operation.outcome:
        case EnrollmentResult() as result:
            outcome = {
                "outcome": "enrollment",
                "status": result.status.value,
                "speech_seconds": float(result.speech_seconds),
                "enrollment_speech_seconds": float(result.enrollment_speech_seconds),
                "remaining_speech_seconds": float(result.remaining_speech_seconds),
            }
        case IdentificationResult(profile_id, confidence):
            outcome = {"outcome": "identification", "profile_id": profile_id, "confidence": confidence.value}
        case OperationFailed(message):
            outcome = {"outcome": "failed", "message": message}
    return _present({**times, **outcome})


def operation_of(row: Row) -> Operation:
    values = Fields(row)
    return Operation(
        subscription_id=row.partition,
        operation_id=row.key.rpartition(":")[2],
        created_at=values.time("created_at"),
        last_action_at=values.time("last_action_at"),
        outcome=_outcome(values),
    )


def _outcome(values: Fields) -> EnrollmentResult | IdentificationResult | OperationFailed:
    match values.text("outcome"):
        case "enrollment":
            return EnrollmentResult(
                status=EnrollmentStatus(values.text("status")),
                speech_seconds=values.number("speech_seconds"),
                enrollment_speech_seconds=values.number("enrollment_speech_seconds"),
                remaining_speech_seconds=values.number("remaining_speech_seconds"),
            )
        case "identification":
            return IdentificationResult(values.maybe_text("profile_id"), Confidence(values.text("confidence")))
        case "failed":
            return OperationFailed(values.text("message"))
        case _:
            raise RowMalformed("outcome")


def _present(values: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}
