"""Identification is open-set: the speaker may be none of the candidates."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.domain.errors import ModelDiffers, ProfileNotEnrolled, ProfileNotFound, RecordingRefused, TooManyCandidates
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription, SubscriptionSettings
from shared.services.enroll import EnrollSpeech, SpeechRules
from shared.services.identify import RANKED, Identification, Identify
from tests.unit.services.spoken import RULES, Spoken, SpokenModel, World, caller

TII = ProfileKind.IDENTIFICATION
AT_ONCE = SpeechRules(RULES, needed_speech_seconds=30.0, max_audio_seconds=300.0, at_once=True)


def enrolled(world: World, voice: float, subscription: Subscription | None = None) -> str:
    key = world.create(TII, subscription)
    EnrollSpeech(world.profiles, world.audit, world.listener, world.model, world.keeper, world.clock)(
        caller(subscription or world.mine), key, Spoken(voice=voice).audio, AT_ONCE
    )
    return key.profile_id


def identify(
    world: World, profile_ids: Sequence[str], voice: float, subscription: Subscription | None = None
) -> Identification:
    use_case = Identify(world.profiles, world.listener, world.model, world.clock)
    return use_case(subscription or world.mine, profile_ids, Spoken(voice=voice).audio, RULES)


def test_the_nearest_voice_is_identified(world: World) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    result = identify(world, [far, near], voice=0)
    assert result.identified is not None
    assert result.identified.profile_id == near
    assert [one.profile_id for one in result.ranking] == [near, far]


def test_a_stranger_is_nobody(world: World) -> None:
    result = identify(world, [enrolled(world, 80), enrolled(world, 85)], voice=0)
    assert result.identified is None
    assert result.best.decision.score < 0.5


def test_a_longer_list_asks_for_more(world: World) -> None:
    """cos 55 degrees is 0.57: enough alone, and not enough among ten, where a stranger has ten chances."""
    right = enrolled(world, 55)
    others = [enrolled(world, 170) for _ in range(9)]
    assert identify(world, [right], voice=0).identified is not None
    assert identify(world, [right, *others], voice=0).identified is None


def test_the_ranking_has_the_best_five_best_first(world: World) -> None:
    ids = {voice: enrolled(world, voice) for voice in (50, 10, 40, 20, 60, 30, 70)}
    result = identify(world, list(ids.values()), voice=0)
    assert [one.profile_id for one in result.ranking] == [ids[voice] for voice in (10, 20, 30, 40, 50)]
    assert len(result.ranking) == RANKED


def test_the_same_candidate_twice_counts_once(world: World) -> None:
    one = enrolled(world, 55)
    assert len(identify(world, [one, one, one], voice=0).ranking) == 1
    assert identify(world, [one, one, one], voice=0).identified is not None


def test_the_identified_profile_is_noted_as_used_and_no_other(world: World) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    before = world.clock()
    later = world.clock.advance(days=3)
    identify(world, [near, far], voice=0)
    used = {one: world.profiles.get(ProfileKey("mine", TII, one)).last_action_at for one in (near, far)}
    assert used == {near: later, far: before}


def test_a_stranger_leaves_no_trace(world: World) -> None:
    ids = [enrolled(world, 80), enrolled(world, 85)]
    before = world.stored()
    identify(world, ids, voice=0)
    assert world.stored() == before


def test_one_unknown_candidate_is_named(world: World) -> None:
    unknown = world.new_id()
    with pytest.raises(ProfileNotFound, match=unknown):
        identify(world, [enrolled(world, 0), unknown], voice=0)


def test_a_candidate_of_another_subscription_is_unknown(world: World) -> None:
    foreign = enrolled(world, 0, world.yours)
    with pytest.raises(ProfileNotFound, match=foreign):
        identify(world, [foreign], voice=0)
    assert identify(world, [foreign], voice=0, subscription=world.yours).identified is not None


def test_one_candidate_that_is_not_enrolled_is_named(world: World) -> None:
    fresh = world.create(TII).profile_id
    with pytest.raises(ProfileNotEnrolled, match=f"{fresh} still needs more speech; it has 0.00 seconds"):
        identify(world, [enrolled(world, 0), fresh], voice=0)


def test_a_candidate_of_another_model_is_never_scored(world: World) -> None:
    one = enrolled(world, 0)
    use_case = Identify(world.profiles, world.listener, SpokenModel("spoken-2"), world.clock)
    with pytest.raises(ModelDiffers):
        use_case(world.mine, [one], Spoken().audio, RULES)


def test_the_subscription_says_how_many_candidates_there_may_be(world: World) -> None:
    ids = [enrolled(world, 0) for _ in range(3)]
    two = Subscription("mine", settings=SubscriptionSettings(max_candidates=2))
    with pytest.raises(TooManyCandidates, match=r"2\. Received 3"):
        identify(world, ids, voice=0, subscription=two)
    assert identify(world, ids[:2], voice=0, subscription=two).identified is not None


def test_a_recording_that_is_refused_changes_nothing(world: World) -> None:
    one = enrolled(world, 0)
    before = world.stored()
    with pytest.raises(RecordingRefused):
        Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, [one], Audio(b"", None), RULES)
    assert world.stored() == before
