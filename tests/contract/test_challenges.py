"""Challenges on every technology: five at most, once each, sealed, and gone with their profile."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial

import pytest

from shared.domain.challenge import Challenge
from shared.domain.errors import ChallengeUnusable, ProfileBusy, ProfileNotFound, TooManyChallenges
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.layout import VERIFY
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Scissors
from tests.contract.stores import NOW, at_once, everything, instance, keys_of, new_id, new_profile, new_subscription

SOON = NOW + timedelta(seconds=120)


def profile_in(stores: Stores) -> ProfileKey:
    profile = new_profile(new_subscription(stores), ProfileKind.TEXT_INDEPENDENT_VERIFICATION)
    return stores.profiles.create(profile, 10).key


def drawn(key: ProfileKey, digits: str = "273951", epoch: int = 0) -> Challenge:
    return Challenge(new_id(), key, epoch, digits, SOON)


def left(storage: Storage, key: ProfileKey) -> list[str]:
    """Rows of challenges, and those that are to take them away."""
    stored = everything(storage, key.subscription_id)
    return [*keys_of(stored, VERIFY), *(row for row in keys_of(stored, "due:") if ":challenge:" in row)]


def test_it_is_opened_until_it_expires_and_spent_once(stores: Stores, storage: Storage) -> None:
    key, other = profile_in(stores), profile_in(stores)
    challenge = drawn(key)
    stores.challenges.add(challenge, 5, NOW)
    for elsewhere in (stores, instance(storage)):
        opened = elsewhere.challenges.get(key, 0, challenge.challenge_id, SOON - timedelta(microseconds=1))
        assert (opened, opened.digits) == (challenge, "273951")
    its = challenge.challenge_id
    for wrong in ((key, 0, its, SOON), (key, 0, new_id(), NOW), (key, 1, its, NOW), (other, 0, its, NOW)):
        with pytest.raises(ChallengeUnusable):
            stores.challenges.get(*wrong)
    stores.challenges.spend(opened)
    assert left(storage, key) == []
    with pytest.raises(ChallengeUnusable):
        stores.challenges.spend(opened)


def test_of_many_at_once_one_spends_it(stores: Stores, storage: Storage) -> None:
    key = profile_in(stores)
    challenge = drawn(key)
    stores.challenges.add(challenge, 5, NOW)
    opened = stores.challenges.get(key, 0, challenge.challenge_id, NOW)

    assert len(at_once(8, lambda _: instance(storage).challenges.spend(opened), ChallengeUnusable)) == 1


def test_there_are_never_more_than_the_most_however_many_are_drawn_at_once(stores: Stores, storage: Storage) -> None:
    key = profile_in(stores)

    drawing = at_once(8, lambda _: instance(storage).challenges.add(drawn(key), 5, NOW), TooManyChallenges)
    assert len(drawing) == 5
    stores.challenges.add(late := Challenge(new_id(), key, 0, "404040", SOON + timedelta(seconds=9)), 5, SOON)
    assert stores.challenges.get(key, 0, late.challenge_id, SOON) == late
    assert len(left(storage, key)) == 5 + 6, "in the place of one that has expired, whose row of the timer is left"


def test_the_timer_takes_away_what_nobody_answered_and_no_later_one(stores: Stores, storage: Storage) -> None:
    key = profile_in(stores)
    for _ in range(2):
        stores.challenges.add(drawn(key), 2, NOW)
    late = Challenge(new_id(), key, 0, "404040", SOON + timedelta(minutes=2))
    stores.challenges.add(late, 2, SOON)
    assert stores.upkeep.sweep(key.subscription_id, SOON - timedelta(microseconds=1), 10) == 0
    assert stores.upkeep.sweep(key.subscription_id, SOON, 10) == 2
    assert stores.challenges.get(key, 0, late.challenge_id, SOON) == late
    assert stores.upkeep.sweep(key.subscription_id, late.expires_at, 10) == 1
    assert left(storage, key) == []


def test_what_is_spent_or_taken_away_at_that_moment_is_no_failure_of_the_timer(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    for call in range(1, 5):
        stores = instance(storage)
        key = profile_in(stores)
        challenge = drawn(key)
        stores.challenges.add(challenge, 5, NOW)
        opened = stores.challenges.get(key, 0, challenge.challenge_id, NOW)
        scissors = Scissors(interrupt_at=call, before_call=partial(stores.challenges.spend, opened))
        instance(storage, scissors).upkeep.sweep(key.subscription_id, SOON, 10)
        with suppress(ChallengeUnusable):
            stores.challenges.spend(opened)
        assert left(storage, key) == [], f"call {call}"
    assert "upkeep_failed" not in caplog.text


def test_the_digits_are_sealed(stores: Stores, storage: Storage) -> None:
    key = profile_in(stores)
    stores.challenges.add(drawn(key, "273951"), 5, NOW)
    stored = everything(storage, key.subscription_id)
    assert "273951" not in str(stored)


@pytest.mark.parametrize("erase", ["delete", "reset", "withdraw_consent"])
def test_none_is_left_of_a_profile_that_is_erased_at_any_moment_of_a_draw(
    stores: Stores, storage: Storage, erase: str
) -> None:
    """Before each of the three calls to storage, and after the last."""
    for call in range(1, 5):
        key, scissors = profile_in(stores), Scissors(interrupt_at=call)
        erased = partial(getattr(stores.profiles, erase), key, NOW)
        scissors.before_call = erased
        with nullcontext() if call == 4 else pytest.raises((ProfileNotFound, ProfileBusy)):
            instance(storage, scissors).challenges.add(drawn(key), 5, NOW)
        if call == 4:
            erased()
        assert len(scissors.calls) >= 3 or call == 1
        assert keys_of(everything(storage, key.subscription_id), VERIFY) == []
