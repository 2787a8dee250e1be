"""Verification: the voice, and for a text-dependent profile the phrase too."""

from __future__ import annotations

import pytest

from shared.domain.errors import ModelDiffers, ProfileNotEnrolled, ProfileNotFound, SpeechTooShort
from shared.domain.limits import AudioRules
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.profile import ProfileKey, ProfileKind
from shared.services.enroll import EnrollPhrase, EnrollSpeech, SpeechRules
from shared.services.verify import Verification, VerifyPhrase, VerifySpeech
from tests.unit.services.spoken import RULES, Spoken, SpokenModel, World

TDV = ProfileKind.TEXT_DEPENDENT_VERIFICATION
TIV = ProfileKind.TEXT_INDEPENDENT_VERIFICATION


@pytest.fixture
def enrolled(world: World) -> ProfileKey:
    """A voice at 0 degrees, bound to phrase 2."""
    key = world.create(TDV)
    enroll = EnrollPhrase(world.profiles, world.audit, world.listener, world.phrases, world.model, world.clock)
    for _ in range(3):
        enroll(world.me, key, Spoken(voice=0, phrase=2).audio, RULES)
    return key


def verify(world: World, key: ProfileKey, spoken: Spoken, rules: AudioRules = RULES) -> Verification:
    return VerifyPhrase(world.profiles, world.listener, world.phrases, world.model, world.clock)(
        world.mine.settings, key, spoken.audio, rules
    )


def test_the_right_voice_with_the_right_phrase_is_accepted(world: World, enrolled: ProfileKey) -> None:
    result = verify(world, enrolled, Spoken(voice=20, phrase=2))
    assert result.decision.accepted
    assert result.decision.score == pytest.approx(0.9397, abs=1e-4)
    assert result.heard is not None
    assert result.heard.phrase == EN_US_PASSPHRASES[2]


@pytest.mark.parametrize(("angle", "accepted"), [(59.9, True), (60.1, False), (90.0, False)])
def test_the_decision_falls_at_a_score_of_a_half(
    world: World, enrolled: ProfileKey, angle: float, accepted: bool
) -> None:
    assert verify(world, enrolled, Spoken(voice=angle, phrase=2)).decision.accepted is accepted


def test_the_right_voice_with_another_phrase_is_rejected_and_the_phrase_is_told(
    world: World, enrolled: ProfileKey
) -> None:
    result = verify(world, enrolled, Spoken(voice=0, phrase=1))
    assert not result.decision.accepted
    assert result.decision.score == 0.0
    assert result.heard is not None
    assert (result.heard.phrase, result.heard.recognised) == (EN_US_PASSPHRASES[1], True)


@pytest.mark.parametrize("spoken", [Spoken(voice=0, phrase=-1), Spoken(voice=0, phrase=2, clearly=False)])
def test_the_right_voice_without_a_clear_phrase_is_rejected_and_nothing_is_written(
    world: World, enrolled: ProfileKey, spoken: Spoken
) -> None:
    before = world.stored()
    result = verify(world, enrolled, spoken)
    assert not result.decision.accepted
    assert result.heard is not None
    assert not result.heard.recognised
    assert world.stored() == before


def test_verifying_notes_the_use_and_writes_nothing_else(world: World, enrolled: ProfileKey) -> None:
    before = set(world.stored())
    later = world.clock.advance(days=3)
    verify(world, enrolled, Spoken(voice=0, phrase=2))
    assert world.profiles.get(enrolled).last_action_at == later
    assert set(world.stored()) == before


def test_a_recording_that_is_refused_writes_nothing(world: World, enrolled: ProfileKey) -> None:
    before = world.stored()
    with pytest.raises(SpeechTooShort):
        verify(world, enrolled, Spoken(phrase=2, speech_seconds=0.4))
    assert world.stored() == before


def test_a_profile_without_enough_enrollments_says_what_is_missing(world: World) -> None:
    key = world.create(TDV)
    EnrollPhrase(world.profiles, world.audit, world.listener, world.phrases, world.model, world.clock)(
        world.me, key, Spoken(phrase=2).audio, RULES
    )
    with pytest.raises(ProfileNotEnrolled, match=r"2 more recording\(s\) of the phrase"):
        verify(world, key, Spoken(phrase=2))


def test_a_profile_of_another_subscription_is_not_found(world: World, enrolled: ProfileKey) -> None:
    with pytest.raises(ProfileNotFound):
        verify(world, ProfileKey("yours", TDV, enrolled.profile_id), Spoken(phrase=2))


def test_a_signature_of_another_model_is_never_scored(world: World, enrolled: ProfileKey) -> None:
    use_case = VerifyPhrase(world.profiles, world.listener, world.phrases, SpokenModel("spoken-2"), world.clock)
    with pytest.raises(ModelDiffers):
        use_case(world.mine.settings, enrolled, Spoken(phrase=2).audio, RULES)


def test_text_independent_verification_asks_for_the_voice_alone(world: World) -> None:
    key = world.create(TIV)
    rules = SpeechRules(RULES, needed_speech_seconds=2.0, max_audio_seconds=300.0, at_once=False)
    enroll = EnrollSpeech(world.profiles, world.audit, world.listener, world.model, world.keeper, world.clock)
    enroll(world.me, key, Spoken(voice=0).audio, rules)
    use_case = VerifySpeech(world.profiles, world.listener, world.model, world.clock)
    assert use_case(world.mine.settings, key, Spoken(voice=10, phrase=-1).audio, RULES).decision.accepted
    assert not use_case(world.mine.settings, key, Spoken(voice=80, phrase=2).audio, RULES).decision.accepted


def test_a_text_independent_profile_without_enough_speech_says_how_much_it_has(world: World) -> None:
    key = world.create(TIV)
    rules = SpeechRules(RULES, needed_speech_seconds=20.0, max_audio_seconds=300.0, at_once=False)
    EnrollSpeech(world.profiles, world.audit, world.listener, world.model, world.keeper, world.clock)(
        world.me, key, Spoken().audio, rules
    )
    with pytest.raises(ProfileNotEnrolled, match=r"more speech; it has 2\.00 seconds"):
        VerifySpeech(world.profiles, world.listener, world.model, world.clock)(
            world.mine.settings, key, Spoken().audio, RULES
        )
