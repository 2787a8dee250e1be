"""Challenges: the words that one verification has to say, in the place of a phrase."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import (
    ChallengeUnusable,
    LocaleUnsupported,
    ParameterMissing,
    ProfileNotEnrolled,
    ProfileNotFound,
    SpeechTooShort,
    TooManyChallenges,
)
from shared.domain.explanation import DecidedBy
from shared.domain.profile import ProfileKey
from shared.domain.subscription import SubscriptionSettings
from tests.unit.services.spoken import TDV, TIV, Spoken, World


@pytest.fixture(params=[TDV, TIV])
def key(world: World, request: pytest.FixtureRequest) -> ProfileKey:
    """An enrolled voice at 0 degrees."""
    return world.enrolled(request.param)


def test_it_says_what_is_to_be_said_and_for_how_long(world: World, key: ProfileKey) -> None:
    drawn = world.draw(key, 8)
    assert (drawn.text, len(drawn.challenge.digits)) == (" ".join(drawn.challenge.digits), 8)
    assert (drawn.locale, drawn.challenge.expires_at) == ("en-US", world.clock() + timedelta(seconds=120))


@pytest.mark.parametrize(
    ("voice", "right", "accepted", "decided_by"),
    [
        (20, True, True, DecidedBy.VOICE),
        (90, True, False, DecidedBy.VOICE),
        (0, False, False, DecidedBy.CHALLENGE),
    ],
)
def test_voice_and_digits_must_both_be_right_and_either_way_it_is_spent(
    world: World, key: ProfileKey, *, voice: float, right: bool, accepted: bool, decided_by: DecidedBy
) -> None:
    challenge = world.draw(key, 6).challenge
    spoken = Spoken(voice=voice, digits=challenge.digits if right else challenge.digits[::-1] + "0")
    result = world.verify(key, spoken, challenge_id=challenge.challenge_id)
    assert (result.decision.accepted, result.explanation.decided_by) == (accepted, decided_by)
    assert result.decision.score == pytest.approx(0.9397 if accepted else 0.0, abs=1e-4)
    assert [advice.code for advice in result.explanation.advice] == ([] if right else ["challengeDigits"])
    with pytest.raises(ChallengeUnusable):
        world.verify(key, spoken, challenge_id=challenge.challenge_id)


def test_a_refused_recording_leaves_it(world: World, key: ProfileKey) -> None:
    challenge = world.draw(key, 6).challenge
    with pytest.raises(SpeechTooShort):
        world.verify(key, Spoken(speech_seconds=0.4), challenge_id=challenge.challenge_id)
    assert world.verify(key, Spoken(digits=challenge.digits), challenge_id=challenge.challenge_id).decision.accepted


def test_what_answered_an_earlier_one_does_not_answer_the_next(world: World, key: ProfileKey) -> None:
    first, second = (world.draw(key, 6).challenge for _ in range(2))
    recorded = Spoken(digits=first.digits)
    assert world.verify(key, recorded, challenge_id=first.challenge_id).decision.accepted
    assert not world.verify(key, recorded, challenge_id=second.challenge_id).decision.accepted


def test_expired_anothers_and_that_of_before_a_reset_are_unknown(world: World, key: ProfileKey) -> None:
    expired = world.draw(key, 6).challenge
    world.clock.advance(seconds=120)
    reset = world.draw(key, 6).challenge
    world.profiles.reset(key, world.clock())
    for _ in range(3):
        world.enroll(key, Spoken(phrase=2))
    anothers = world.draw(world.enrolled(key.kind), 6).challenge
    for challenge in (expired, reset, anothers):
        with pytest.raises(ChallengeUnusable):
            world.verify(key, Spoken(digits=challenge.digits), challenge_id=challenge.challenge_id)


def test_five_are_open_at_most_and_one_that_is_answered_makes_room(world: World, key: ProfileKey) -> None:
    drawn = [world.draw(key, 6).challenge for _ in range(5)]
    world.clock.advance(seconds=20.5)
    with pytest.raises(TooManyChallenges) as refused:
        world.draw(key, 6)
    assert refused.value.retry_after_seconds == 100
    world.verify(key, Spoken(), challenge_id=drawn[2].challenge_id)
    world.draw(key, 6)


def test_a_subscription_can_ask_for_one(world: World, key: ProfileKey) -> None:
    always, challenge = SubscriptionSettings(require_challenge=True), world.draw(key, 6).challenge
    with pytest.raises(ParameterMissing):
        world.verify(key, Spoken(phrase=2), settings=always)
    spoken = Spoken(digits=challenge.digits)
    assert world.verify(key, spoken, settings=always, challenge_id=challenge.challenge_id).decision.accepted


def test_whom_none_is_drawn_for_is_named(world: World) -> None:
    with pytest.raises(ProfileNotEnrolled):
        world.draw(world.create(TIV), 6)
    german = world.create(TIV, locale="de-de")
    with pytest.raises(LocaleUnsupported, match="en-US"):
        world.draw(german, 6)
    with pytest.raises(ProfileNotFound):
        world.draw(replace(german, subscription_id="yours"), 6)
