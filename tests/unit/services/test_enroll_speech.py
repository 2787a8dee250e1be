"""Text-independent enrollment: any speech, until there is enough of it."""

from __future__ import annotations

import pytest

from shared.domain.errors import EnrollmentAudioFull, ProfileNotFound
from shared.domain.profile import EnrollmentStatus, ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.services.enroll import Enrolled, EnrollSpeech, SpeechRules
from tests.unit.services.spoken import RULES, Spoken, World

TII = ProfileKind.IDENTIFICATION
TIV = ProfileKind.TEXT_INDEPENDENT_VERIFICATION
LONG = SpeechRules(RULES, needed_speech_seconds=30.0, max_audio_seconds=100.0, at_once=False)
SHORT = SpeechRules(RULES, needed_speech_seconds=30.0, max_audio_seconds=100.0, at_once=True)


def enroll(world: World, key: ProfileKey, speech_seconds: float, rules: SpeechRules = LONG) -> Enrolled:
    use_case = EnrollSpeech(world.profiles, world.audit, world.listener, world.model, world.keeper, world.clock)
    return use_case(world.me, key, Spoken(speech_seconds=speech_seconds).audio, rules)


def test_thirty_seconds_of_speech_make_a_profile_usable(world: World) -> None:
    key = world.create(TII)
    assert enroll(world, key, 20.0).profile.status is EnrollmentStatus.ENROLLING
    enrolled = enroll(world, key, 10.0)
    assert enrolled.profile.status is EnrollmentStatus.ENROLLED
    assert enrolled.profile.speech_seconds == 30.0
    assert enrolled.profile.remaining_speech_seconds(30.0) == 0.0


def test_a_little_less_does_not(world: World) -> None:
    key = world.create(TII)
    enrolled = enroll(world, key, 29.99)
    assert enrolled.profile.status is EnrollmentStatus.ENROLLING
    assert enrolled.profile.remaining_speech_seconds(30.0) == pytest.approx(0.01)


def test_short_audio_is_usable_at_once_and_stays_so(world: World) -> None:
    key = world.create(TII)
    assert enroll(world, key, 0.5, SHORT).profile.status is EnrollmentStatus.ENROLLED
    assert enroll(world, key, 0.5, LONG).profile.status is EnrollmentStatus.ENROLLED


def test_there_is_a_bound_on_the_whole(world: World) -> None:
    key = world.create(TII)
    enroll(world, key, 89.0)
    before = world.stored()
    with pytest.raises(EnrollmentAudioFull, match=r"100 seconds.*100\.50 seconds"):
        enroll(world, key, 9.5)
    assert world.stored() == before
    assert enroll(world, key, 9.0).profile.audio_seconds == 100.0


def test_audio_of_an_identification_enrollment_is_kept_encrypted(world: World) -> None:
    key = world.create(TII)
    enroll(world, key, 2.0)
    enroll(world, key, 3.0)
    names = list(world.blobs.names(f"mine/tii/{key.profile_id}/"))
    assert len(names) == 2
    for name in names:
        content = world.blobs.get(name)
        assert content is not None
        assert b"kept" not in content


def test_audio_of_a_verification_enrollment_is_not_kept(world: World) -> None:
    enroll(world, world.create(TIV), 2.0)
    assert world.kept_audio() == []


def test_an_unknown_profile_is_told_before_the_recording_is_looked_at(world: World) -> None:
    use_case = EnrollSpeech(world.profiles, world.audit, world.listener, world.model, world.keeper, world.clock)
    with pytest.raises(ProfileNotFound):
        use_case(world.me, ProfileKey("mine", TII, world.new_id()), Audio(b"no recording", None), LONG)


def test_a_profile_of_another_subscription_is_not_found_and_not_touched(world: World) -> None:
    foreign = world.create(TII, world.yours)
    before = world.stored()
    with pytest.raises(ProfileNotFound):
        enroll(world, ProfileKey("mine", TII, foreign.profile_id), 2.0)
    assert world.stored() == before
