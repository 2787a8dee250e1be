"""A recording that was accepted before: refused, flagged, or none of the service's business."""

from __future__ import annotations

import pytest

from shared.domain.explanation import DecidedBy
from shared.domain.profile import ProfileKey
from shared.domain.subscription import ReplayAction, SubscriptionSettings
from tests.unit.services.spoken import TDV, TIV, Spoken, World

FLAG = SubscriptionSettings(replay_action=ReplayAction.FLAG)
REFUSE = SubscriptionSettings(replay_action=ReplayAction.REFUSE, replay_days=2.0)


@pytest.fixture
def key(world: World) -> ProfileKey:
    return world.enrolled(TDV)


def take(number: int = 1, voice: float = 0.0) -> Spoken:
    return Spoken(voice=voice, phrase=2, take=number)


def test_the_same_again_is_refused_with_a_reason_until_its_days_are_over(world: World, key: ProfileKey) -> None:
    first = world.verify(key, take(), settings=REFUSE)
    assert (first.decision.accepted, first.explanation.replay) == (True, False)
    again = world.verify(key, take(), settings=REFUSE)
    assert (again.decision.accepted, again.decision.score) == (False, 0.0)
    assert (again.explanation.decided_by, again.explanation.replay) == (DecidedBy.REPLAY, True)
    assert [advice.code for advice in again.explanation.advice] == ["newRecording"]
    assert world.verify(key, take(2), settings=REFUSE).decision.accepted, "another take"
    world.clock.advance(days=2)
    assert world.verify(key, take(), settings=REFUSE).decision.accepted


def test_a_flag_changes_nothing_else(world: World, key: ProfileKey) -> None:
    first, again = (world.verify(key, take(), settings=FLAG) for _ in range(2))
    assert again.decision == first.decision
    assert (first.explanation.replay, again.explanation.replay) == (False, True)
    assert again.explanation.decided_by is DecidedBy.VOICE


def test_what_was_rejected_is_not_kept_and_not_called_a_replay(world: World, key: ProfileKey) -> None:
    for _ in range(2):
        rejected = world.verify(key, take(voice=90), settings=REFUSE)
        assert (rejected.explanation.decided_by, rejected.explanation.replay) == (DecidedBy.VOICE, None)
    assert not any("print" in row for row in world.stored())


def test_while_it_is_off_nothing_is_looked_for_and_nothing_kept(world: World, key: ProfileKey) -> None:
    before = set(world.stored())
    for _ in range(2):
        accepted = world.verify(key, take())
        assert (accepted.decision.accepted, accepted.explanation.replay) == (True, None)
    assert set(world.stored()) == before


def test_another_profile_knows_nothing_of_it(world: World, key: ProfileKey) -> None:
    for each in (key, world.enrolled(TIV)):
        assert world.verify(each, take(), settings=REFUSE).decision.accepted


def test_a_replayed_answer_spends_the_challenge(world: World, key: ProfileKey) -> None:
    """Two challenges with the same digits are one in 590,490: here the listener hears the same audio."""
    for replay in (False, True):
        challenge = world.draw(key, 6).challenge
        spoken = Spoken(digits=challenge.digits, take=7)
        result = world.verify(key, spoken, settings=REFUSE, challenge_id=challenge.challenge_id)
        assert result.decision.accepted is not replay
    assert not any(":challenge:" in row for row in world.stored())
