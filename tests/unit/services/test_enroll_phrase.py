"""Text-dependent enrollment: three recordings of one phrase, bound by the first."""

from __future__ import annotations

import pytest

from shared.domain.errors import (
    ModelDiffers,
    PassphraseDiffers,
    PassphraseNotHeard,
    ProfileNotFound,
    RecordingRefused,
    TooManyEnrollments,
)
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.profile import EnrollmentStatus, ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.services.enroll import Enrolled, EnrollPhrase
from tests.unit.services.spoken import RULES, Spoken, SpokenModel, World

TDV = ProfileKind.TEXT_DEPENDENT_VERIFICATION


def enroll(world: World, key: ProfileKey, spoken: Spoken, model: SpokenModel | None = None) -> Enrolled:
    use_case = EnrollPhrase(
        world.profiles, world.audit, world.listener, world.phrases, model or world.model, world.clock
    )
    return use_case(world.me, key, spoken.audio, RULES)


def test_the_first_recording_binds_the_phrase(world: World) -> None:
    key = world.create(TDV)
    enrolled = enroll(world, key, Spoken(phrase=2))
    assert enrolled.profile.passphrase == EN_US_PASSPHRASES[2]
    assert enrolled.profile.status is EnrollmentStatus.ENROLLING
    assert (enrolled.profile.enrollments_count, enrolled.profile.remaining_enrollments) == (1, 2)
    assert world.profiles.get(key).passphrase == EN_US_PASSPHRASES[2]


def test_the_third_recording_makes_the_profile_usable(world: World) -> None:
    key = world.create(TDV)
    statuses = [enroll(world, key, Spoken(phrase=2)).profile.status for _ in range(4)]
    assert statuses == ["Enrolling", "Enrolling", "Enrolled", "Enrolled"]
    assert world.profiles.get(key).enrollments_count == 4


def test_what_was_measured_adds_up_and_the_time_is_noted(world: World) -> None:
    key = world.create(TDV)
    enroll(world, key, Spoken(phrase=2, speech_seconds=1.5))
    later = world.clock.advance(minutes=5)
    enrolled = enroll(world, key, Spoken(phrase=2, speech_seconds=2.0))
    assert enrolled.enrollment.speech_seconds == 2.0
    stored = world.profiles.get(key)
    assert (stored.speech_seconds, stored.audio_seconds) == (3.5, 5.5)
    assert stored.last_action_at == stored.last_enrolled_at == later
    assert stored.model_id == "spoken-1"


def test_the_signature_is_the_voice_of_all_recordings(world: World) -> None:
    key = world.create(TDV)
    for angle in (10, 20, 30):
        enroll(world, key, Spoken(voice=angle, phrase=2))
    _, signature = world.profiles.get_with_signature(key)
    assert signature is not None
    assert signature.direction == pytest.approx([0.9397, 0.3420], abs=1e-4), "20 degrees"


def test_another_phrase_is_refused_and_both_are_named(world: World) -> None:
    key = world.create(TDV)
    enroll(world, key, Spoken(phrase=2))
    before = world.stored()
    with pytest.raises(PassphraseDiffers) as raised:
        enroll(world, key, Spoken(phrase=1))
    assert (raised.value.heard, raised.value.expected) == (EN_US_PASSPHRASES[1], EN_US_PASSPHRASES[2])
    assert world.stored() == before


@pytest.mark.parametrize("spoken", [Spoken(phrase=-1), Spoken(phrase=2, clearly=False)])
def test_no_phrase_or_an_unclear_one_is_refused(world: World, spoken: Spoken) -> None:
    key = world.create(TDV)
    before = world.stored()
    with pytest.raises(PassphraseNotHeard):
        enroll(world, key, spoken)
    assert world.stored() == before


def test_what_cannot_be_heard_is_refused(world: World) -> None:
    key = world.create(TDV)
    before = world.stored()
    with pytest.raises(RecordingRefused):
        enroll(world, key, Spoken(phrase=2, speech_seconds=0.4))
    assert world.stored() == before


def test_an_unknown_profile_is_told_before_the_recording_is_looked_at(world: World) -> None:
    use_case = EnrollPhrase(world.profiles, world.audit, world.listener, world.phrases, world.model, world.clock)
    with pytest.raises(ProfileNotFound):
        use_case(world.me, ProfileKey("mine", TDV, world.new_id()), Audio(b"no recording", None), RULES)


def test_a_profile_of_another_subscription_is_not_found_and_not_touched(world: World) -> None:
    foreign = world.create(TDV, world.yours)
    before = world.stored()
    with pytest.raises(ProfileNotFound):
        enroll(world, ProfileKey("mine", TDV, foreign.profile_id), Spoken(phrase=2))
    assert world.stored() == before


def test_fifty_recordings_are_enough(world: World) -> None:
    key = world.create(TDV)
    for _ in range(50):
        enroll(world, key, Spoken(phrase=2))
    before = world.stored()
    with pytest.raises(TooManyEnrollments, match="50"):
        enroll(world, key, Spoken(phrase=2))
    assert world.stored() == before


def test_embeddings_of_two_models_never_meet(world: World) -> None:
    key = world.create(TDV)
    enroll(world, key, Spoken(phrase=2))
    before = world.stored()
    with pytest.raises(ModelDiffers, match=r"spoken-1.*runs spoken-2.*enroll again"):
        enroll(world, key, Spoken(phrase=2), SpokenModel("spoken-2"))
    assert world.stored() == before


def test_no_audio_of_a_phrase_is_kept(world: World) -> None:
    key = world.create(TDV)
    enroll(world, key, Spoken(phrase=2))
    assert world.kept_audio() == []


def test_after_a_reset_another_phrase_and_another_voice_may_be_enrolled(world: World) -> None:
    key = world.create(TDV)
    enroll(world, key, Spoken(voice=0, phrase=2))
    world.profiles.reset(key, world.clock())
    enrolled = enroll(world, key, Spoken(voice=90, phrase=1))
    assert enrolled.profile.enrollments_count == 1
    profile, signature = world.profiles.get_with_signature(key)
    assert profile.passphrase == EN_US_PASSPHRASES[1]
    assert signature is not None
    assert signature.direction == pytest.approx([0.0, 1.0], abs=1e-6), "nothing of the earlier voice is left"
