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


def test_a_first_enrollment_is_the_signature() -> None:
    signature = enrollment([3, 4], speech_seconds=2).signature
    assert signature.direction == pytest.approx([0.6, 0.8])
    assert signature.speech_seconds == 2
    assert signature.model_id == "ge2e"


def test_a_longer_recording_weighs_more() -> None:
    signature = enrollment([1, 0], speech_seconds=3).signature.plus(enrollment([0, 1], speech_seconds=1))
    assert signature.direction == pytest.approx(np.array([3, 1]) / np.sqrt(10))
    assert signature.speech_seconds == 4


def test_the_order_of_enrollments_does_not_matter() -> None:
    first, second = enrollment([1, 2], 3), enrollment([2, -1], 1.5)
    assert first.signature.plus(second).pooled == pytest.approx(second.signature.plus(first).pooled)


def test_a_direction_has_unit_length_in_float32() -> None:
    direction = enrollment([5, 12], 7).signature.direction
    assert direction.dtype == np.float32
    assert float(np.linalg.norm(direction)) == pytest.approx(1.0)


def test_a_new_profile_needs_everything() -> None:
    profile = Profile(KEY, "en-us", NOW, NOW)
    assert profile.status is EnrollmentStatus.ENROLLING
    assert not profile.is_enrolled
    assert profile.remaining_enrollments == 3
    assert profile.remaining_speech_seconds(30.0) == 30.0


def test_what_remains_is_never_negative() -> None:
    profile = Profile(KEY, "en-us", NOW, NOW, enrollments_count=7, speech_seconds=45.0)
    assert profile.remaining_enrollments == 0
    assert profile.remaining_speech_seconds(30.0) == 0.0


@pytest.mark.parametrize(
    ("kind", "keeps_audio", "needs_phrase"),
    [
        (ProfileKind.TEXT_DEPENDENT_VERIFICATION, False, True),
        (ProfileKind.TEXT_INDEPENDENT_VERIFICATION, False, False),
        (ProfileKind.IDENTIFICATION, True, False),
    ],
)
def test_only_identification_keeps_audio_and_only_one_kind_has_a_phrase(
    kind: ProfileKind, keeps_audio: bool, needs_phrase: bool
) -> None:
    assert (kind.keeps_audio, kind.needs_phrase) == (keeps_audio, needs_phrase)


def test_voice_and_phrase_stay_out_of_every_representation() -> None:
    one = enrollment([0.123456, 0.98765], 2)
    profile = Profile(KEY, "en-us", NOW, NOW, passphrase="my voice is my passport verify me")
    shown = repr(one) + repr(one.signature) + repr(profile) + repr(HeardPhrase("my voice is", -10.0, True))
    assert "voice is" not in shown
    assert "0.1" not in shown
    assert "array" not in shown
