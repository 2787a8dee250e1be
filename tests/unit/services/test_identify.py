"""Identification is open-set: the speaker may be none of the candidates, in a list, a group or among everyone."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.decision import open_set
from shared.domain.errors import (
    AudioUnreadable,
    GroupNotFound,
    LocalesDiffer,
    ModelDiffers,
    NobodyEnrolled,
    ProfileNotEnrolled,
    ProfileNotFound,
    TimbreError,
    TooManyCandidates,
)
from shared.domain.group import Candidates, Everyone, InGroup
from shared.domain.profile import ProfileKey, Signature
from shared.domain.recording import Numbers, Utterance, Vector
from shared.domain.subscription import SettingsChange, Subscription, SubscriptionSettings
from shared.inference.model_card import read_catalogue
from shared.inference.speaker_model import speaker_model
from shared.services.identify import RANKED, Identification
from tests.unit.services.spoken import ACTOR, NO_RECORDING, TII, TIV, SpokenModel, World

EVERYONE = Everyone()


def enrolled(world: World, voice: float, subscription: Subscription | None = None) -> str:
    return world.enrolled(voice=voice, subscription=subscription).profile_id


def group_of(world: World, *profile_ids: str) -> InGroup:
    world.change_groups.put(ACTOR, "mine", "some")
    for profile_id in profile_ids:
        world.change_groups.add(ACTOR, "some", ProfileKey("mine", TII, profile_id))
    return InGroup("some")


def candidates(world: World, how: str, profile_ids: Sequence[str]) -> Candidates:
    """The same speakers, named in each way."""
    named: dict[str, Candidates] = {
        "list": profile_ids, "group": group_of(world, *profile_ids), "everyone": EVERYONE,
    }  # fmt: skip
    return named[how]


def ranked(identification: Identification) -> list[str]:
    return [profile.profile_id for profile in identification.ranking]


each_way = pytest.mark.parametrize("how", ["list", "group", "everyone"])


@each_way
def test_the_nearest_voice_is_identified_and_the_best_five_are_ranked(world: World, how: str) -> None:
    ids = {voice: enrolled(world, voice) for voice in (50, 10, 40, 20, 60, 30, 70)}
    result = world.identify(candidates(world, how, list(ids.values())))
    assert result.identified is not None
    assert ranked(result) == [ids[voice] for voice in (10, 20, 30, 40, 50)]
    assert len(result.ranking) == RANKED


@each_way
def test_a_longer_list_asks_for_more(world: World, how: str) -> None:
    """cos 55 degrees is 0.57: enough alone, and not enough among ten, where a stranger has ten chances."""
    right = enrolled(world, 55)
    assert world.identify([right]).identified is not None
    others = [enrolled(world, 170) for _ in range(9)]
    result = world.identify(candidates(world, how, [right, *others]))
    assert result.identified is None
    assert result.best.decision.score == pytest.approx(open_set(0.5735764, 10), abs=1e-4)


@each_way
def test_the_identified_profile_is_noted_as_used_and_no_other(world: World, how: str) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    among = candidates(world, how, [near, far])
    before, later = world.clock(), world.clock.advance(days=3)
    world.identify(among)
    used = {one: world.profiles.get(ProfileKey("mine", TII, one)).last_action_at for one in (near, far)}
    assert used == {near: later, far: before}


@each_way
def test_a_stranger_and_a_recording_that_is_refused_leave_no_trace(world: World, how: str) -> None:
    among = candidates(world, how, [enrolled(world, 80), enrolled(world, 85)])
    world.identify(EVERYONE)
    before = world.stored()
    assert world.identify(among).identified is None
    with pytest.raises(AudioUnreadable):
        world.identify(among, NO_RECORDING)
    assert world.stored() == before


@pytest.mark.parametrize(("threshold", "found"), [(0.49, True), (0.51, False)])
def test_identification_has_a_threshold_of_its_own(world: World, threshold: float, found: bool) -> None:
    settings = SubscriptionSettings(verification_threshold=0.999, identification_threshold=threshold)
    result = world.identify([enrolled(world, 60)], subscription=Subscription("mine", settings=settings))
    assert (result.identified is not None) == found


def test_the_same_candidate_twice_counts_once(world: World) -> None:
    one = enrolled(world, 55)
    result = world.identify([one, one, one])
    assert ranked(result) == [one]
    assert result.identified is not None


def test_a_candidate_that_cannot_be_compared_is_named_before_what_is_wrong_with_the_recording(world: World) -> None:
    unknown, fresh, foreign = world.new_id(), world.create(TII).profile_id, enrolled(world, 0, world.yours)
    chinese = world.create(TII, locale="zh-cn").profile_id
    speaker = enrolled(world, 0)
    refusals: list[tuple[str, type[TimbreError], str]] = [
        (unknown, ProfileNotFound, unknown),
        (foreign, ProfileNotFound, foreign),
        (chinese, LocalesDiffer, "en-US, zh-CN"),
        (fresh, ProfileNotEnrolled, f"{fresh} still needs more speech; it has 0.00 seconds"),
    ]
    for other, error, message in refusals:
        with pytest.raises(error, match=message):
            world.identify([speaker, other], NO_RECORDING, same_locale=True)
    with pytest.raises(ProfileNotEnrolled):
        world.identify([speaker, chinese])  # where locales do not matter
    assert world.identify([foreign], subscription=world.yours).identified is not None


def test_a_candidate_of_another_model_is_never_scored(world: World) -> None:
    speaker = enrolled(world, 0)
    world.model = SpokenModel("spoken-2")
    with pytest.raises(ModelDiffers):
        world.identify([speaker])
    with pytest.raises(NobodyEnrolled):
        world.identify(EVERYONE)


def test_the_subscription_says_how_long_a_list_may_be_and_bounds_nothing_else(world: World) -> None:
    ids = [enrolled(world, voice) for voice in range(3)]
    world.subscriptions.change("mine", SettingsChange(max_candidates=2))
    with pytest.raises(TooManyCandidates, match=r"2\. Received 3"):
        world.identify(ids)
    assert len(world.identify(ids[:2]).ranking) == 2
    assert len(world.identify(EVERYONE).ranking) == 3


def test_only_who_is_enrolled_and_in_the_group_is_a_candidate(world: World) -> None:
    world.create(TII)
    near, far = enrolled(world, 10), enrolled(world, 50)
    assert ranked(world.identify(EVERYONE)) == [near, far]
    assert ranked(world.identify(group_of(world, far))) == [far]


def test_nobody_enrolled_and_no_such_group_are_told_before_what_is_wrong_with_the_recording(world: World) -> None:
    with pytest.raises(NobodyEnrolled, match="no enrolled identification profile in this subscription"):
        world.identify(EVERYONE)
    with pytest.raises(NobodyEnrolled, match="in the group some"):
        world.identify(group_of(world, world.create(TII).profile_id))
    with pytest.raises(GroupNotFound, match="doesn't exist: elsewhere"):
        world.identify(InGroup("elsewhere"), NO_RECORDING)


class ScoredInEarnest(SpokenModel):
    """A voice of each number, in as many dimensions as the default network's, by the scores of the default model."""

    def embed(self, utterance: Utterance) -> Vector:
        vector = np.random.default_rng(round(float(utterance.recording.samples[0]))).normal(size=192) + 0.4
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        directions = np.stack([signature.direction for signature in signatures])
        seconds = np.array([signature.speech_seconds for signature in signatures])
        return [float(score) for score in self.scores_of_all(embedding, speech_seconds, directions, seconds)]

    def scores_of_all(self, embedding: Vector, speech_seconds: float, directions: Vector, seconds: Numbers) -> Numbers:
        return IN_EARNEST.scores_of_all(embedding, speech_seconds, directions, seconds)


IN_EARNEST = speaker_model(read_catalogue().speaker("campplus-channels-1"))


@settings(max_examples=15, deadline=None)
@given(voices=st.lists(st.integers(1, 8), min_size=2, max_size=20), shuffle=st.randoms())
def test_the_ranking_is_that_of_single_verifies_in_whatever_order_the_candidates_stand(
    voices: list[int], shuffle: Random
) -> None:
    """Several profiles have the same voice: of equal scores the smaller id comes first."""
    world = World(model=ScoredInEarnest())
    ids = [enrolled(world, voice) for voice in voices]
    verified: dict[int, float] = {}
    for voice in set(voices):
        verified[voice] = world.verify(world.enrolled(TIV, voice=voice)).decision.score
    by_verifying = sorted(zip(voices, ids, strict=True), key=lambda pair: (-verified[pair[0]], pair[1]))
    expected = [(profile_id, open_set(verified[voice], len(ids))) for voice, profile_id in by_verifying[:RANKED]]
    shuffle.shuffle(ids)
    for how in ("list", "group", "everyone"):
        ranking = world.identify(candidates(world, how, ids)).ranking
        assert [(one.profile_id, one.decision.score) for one in ranking] == expected
