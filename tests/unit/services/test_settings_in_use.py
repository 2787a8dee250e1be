"""What a subscription has set is what its recognition goes by: thresholds, phrases, kept audio."""

from __future__ import annotations

import pytest

from shared.domain.errors import PassphraseDiffers
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.subscription import Subscription, SubscriptionSettings, Thresholds
from shared.services.enroll import Enrolled, EnrollPhrase, EnrollSpeech, SpeechRules
from shared.services.identify import Identify
from shared.services.verify import Verification, VerifyPhrase, VerifySpeech
from tests.unit.services.spoken import RULES, Spoken, World, caller

TDV = ProfileKind.TEXT_DEPENDENT_VERIFICATION
TIV = ProfileKind.TEXT_INDEPENDENT_VERIFICATION
TII = ProfileKind.IDENTIFICATION
AT_ONCE = SpeechRules(RULES, needed_speech_seconds=30.0, max_audio_seconds=300.0, at_once=True)
OWN = ("open the door to the garden", "close the window of the kitchen")


def mine(settings: SubscriptionSettings) -> Subscription:
    return Subscription("mine", settings=settings)


def enroll_phrase(world: World, settings: SubscriptionSettings, key: ProfileKey, phrase: int) -> Enrolled:
    use_case = EnrollPhrase(world.profiles, world.audit, world.listener, world.phrases, world.model, world.clock)
    return use_case(caller(mine(settings)), key, Spoken(phrase=phrase).audio, RULES)


def enroll_speech(world: World, settings: SubscriptionSettings, kind: ProfileKind) -> ProfileKey:
    key = world.create(kind)
    use_case = EnrollSpeech(world.profiles, world.audit, world.listener, world.model, world.keeper, world.clock)
    use_case(caller(mine(settings)), key, Spoken().audio, AT_ONCE)
    return key


def verify_phrase(world: World, settings: SubscriptionSettings, key: ProfileKey, spoken: Spoken) -> Verification:
    use_case = VerifyPhrase(world.profiles, world.listener, world.phrases, world.model, world.clock)
    return use_case(settings, key, spoken.audio, RULES)


@pytest.mark.parametrize(("threshold", "accepted"), [(0.49, True), (0.51, False)])
def test_a_voice_60_degrees_away_scores_a_half_and_the_threshold_decides(
    world: World, threshold: float, accepted: bool
) -> None:
    settings = SubscriptionSettings(thresholds=Thresholds(verification=threshold, identification=0.999))
    key = world.create(TDV)
    for _ in range(3):
        enroll_phrase(world, settings, key, 2)
    by_phrase = verify_phrase(world, settings, key, Spoken(voice=60, phrase=2))
    speaking = enroll_speech(world, settings, TIV)
    verify = VerifySpeech(world.profiles, world.listener, world.model, world.clock)
    by_speech = verify(settings, speaking, Spoken(voice=60).audio, RULES)
    for decision in (by_phrase.decision, by_speech.decision):
        assert decision.score == pytest.approx(0.5, abs=1e-6)
        assert (decision.threshold, decision.accepted) == (threshold, accepted)


@pytest.mark.parametrize(("threshold", "found"), [(0.49, True), (0.51, False)])
def test_identification_has_a_threshold_of_its_own(world: World, threshold: float, found: bool) -> None:
    settings = SubscriptionSettings(thresholds=Thresholds(verification=0.999, identification=threshold))
    key = enroll_speech(world, settings, TII)
    identify = Identify(world.profiles, world.listener, world.model, world.clock)
    result = identify(mine(settings), [key.profile_id], Spoken(voice=60).audio, RULES)
    assert (result.identified is not None) == found


@pytest.mark.parametrize(("keeps", "kept"), [(True, 1), (False, 0)])
def test_audio_is_kept_for_identification_only_where_the_subscription_keeps_it(
    world: World, keeps: bool, kept: int
) -> None:
    settings = SubscriptionSettings(keep_identification_audio=keeps)
    enroll_speech(world, settings, TII)
    enroll_speech(world, settings, TIV)
    assert len(world.kept_audio()) == kept


def test_a_profile_is_bound_to_a_phrase_of_the_subscriptions_own(world: World) -> None:
    settings = SubscriptionSettings(passphrases={"en-US": OWN})
    key = world.create(TDV)
    assert enroll_phrase(world, settings, key, 1).profile.passphrase == OWN[1]


def test_a_phrase_taken_off_the_list_still_opens_the_profiles_that_it_binds(world: World) -> None:
    published = SubscriptionSettings()
    key = world.create(TDV)
    for _ in range(2):
        enroll_phrase(world, published, key, 2)
    own = SubscriptionSettings(passphrases={"en-US": OWN})
    assert enroll_phrase(world, own, key, 2).profile.passphrase == EN_US_PASSPHRASES[2], "behind the list of two"
    result = verify_phrase(world, own, key, Spoken(phrase=2))
    assert result.decision.accepted
    assert result.heard is not None
    assert result.heard.phrase == EN_US_PASSPHRASES[2]
    assert not verify_phrase(world, own, key, Spoken(phrase=0)).decision.accepted, "another allowed phrase"
    with pytest.raises(PassphraseDiffers):
        enroll_phrase(world, own, key, 0)
