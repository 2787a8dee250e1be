"""Profiles and the signature that enrollments add up to."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from shared.domain.passphrase import HeardPhrase
from shared.domain.profile import Enrollment, EnrollmentStatus, Profile, ProfileKey, ProfileKind
from shared.domain.recording import Vector

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = ProfileKey("subscription", ProfileKind.IDENTIFICATION, "00000000-0000-0000-0000-000000000001")


def enrollment(direction: list[float], speech_seconds: float) -> Enrollment:
    vector: Vector = np.array(direction, dtype=np.float32)
    return Enrollment(vector / np.linalg.norm(vector), "ge2e", speech_seconds + 1, speech_seconds, 20.0, NOW)


def test_a_signature_is_the_sum_of_enrollments_by_their_speech() -> None:
    signature = enrollment([3, 4], speech_seconds=2).signature
    assert signature.direction == pytest.approx([0.6, 0.8])
    assert (signature.speech_seconds, signature.model_id) == (2, "ge2e")
    longer = enrollment([1, 0], speech_seconds=3).signature.plus(enrollment([0, 1], speech_seconds=1))
    assert longer.direction == pytest.approx(np.array([3, 1]) / np.sqrt(10))
    assert longer.direction.dtype == np.float32
    assert longer.speech_seconds == 4


def test_the_order_of_enrollments_does_not_matter() -> None:
    first, second = enrollment([1, 2], 3), enrollment([2, -1], 1.5)
    assert first.signature.plus(second).pooled == pytest.approx(second.signature.plus(first).pooled)


@pytest.mark.parametrize(
    ("count", "seconds", "remaining"), [(0, 0.0, (3, 30.0)), (2, 12.5, (1, 17.5)), (7, 45.0, (0, 0.0))]
)
def test_what_remains_is_never_negative(count: int, seconds: float, remaining: tuple[int, float]) -> None:
    profile = Profile(KEY, "en-us", NOW, NOW, enrollments_count=count, speech_seconds=seconds)
    assert (profile.remaining_enrollments, profile.remaining_speech_seconds(30.0)) == remaining
    assert profile.status is EnrollmentStatus.ENROLLING
    assert not profile.is_enrolled


def test_only_identification_keeps_audio_and_only_one_kind_has_a_phrase() -> None:
    assert [kind for kind in ProfileKind if kind.keeps_audio] == [ProfileKind.IDENTIFICATION]
    assert [kind for kind in ProfileKind if kind.needs_phrase] == [ProfileKind.TEXT_DEPENDENT_VERIFICATION]


def test_voice_and_phrase_stay_out_of_every_representation() -> None:
    spoken = enrollment([0.123456, 0.98765], 2)
    profile = Profile(KEY, "en-us", NOW, NOW, passphrase="my voice is my passport verify me")
    shown = repr(spoken) + repr(spoken.signature) + repr(profile) + repr(HeardPhrase("my voice is", -10.0, True))
    assert [secret for secret in ("voice is", "0.1", "array") if secret in shown] == []
