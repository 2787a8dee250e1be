"""Prints of accepted recordings on every technology: new once, bounded, sealed, gone in time or with the profile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pytest

from shared.domain.errors import ProfileNotFound
from shared.domain.profile import Profile, ProfileKind
from shared.domain.replay import Print
from shared.domain.subscription import ReplayAction, SettingsChange
from shared.storage.layout import VERIFY
from shared.storage.profiles import prints
from shared.storage.profiles.schedule import SETTLED
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Scissors
from tests.contract.stores import NOW, at_once, everything, instance, keys_of, new_profile, new_subscription

DAYS = 10.0
OVER = NOW + timedelta(days=DAYS)


def profile_in(stores: Stores, **settings: object) -> Profile:
    subscription_id = new_subscription(stores)
    change = SettingsChange(replay_action=ReplayAction.REFUSE, replay_days=DAYS, **settings)
    stores.subscriptions.change(subscription_id, change)
    return stores.profiles.create(new_profile(subscription_id, ProfileKind.TEXT_INDEPENDENT_VERIFICATION), 10)


def print_of(number: int) -> Print:
    return Print(np.arange(600, dtype=np.uint32) + 1_000 * number, np.arange(600, dtype=np.uint16))


def keep(stores: Stores, profile: Profile, number: int, at: datetime = NOW, days: float = DAYS) -> bool:
    """False where it is kept already."""
    found = print_of(number)

    def repeats(kept: Sequence[Print]) -> bool:
        return any(found.repeats(one) for one in kept)

    return stores.prints.keep_new(profile, found, days, at, repeats)


def left(storage: Storage, profile: Profile) -> list[str]:
    """Rows of prints, and those that are to take them away."""
    stored = everything(storage, profile.key.subscription_id)
    return [*keys_of(stored, VERIFY), *(row for row in keys_of(stored, "due:") if ":print:" in row)]


def test_a_recording_is_new_once_for_its_days_and_for_each_profile(stores: Stores, storage: Storage) -> None:
    profile, other = profile_in(stores), profile_in(stores)
    assert keep(stores, profile, 1)
    assert keep(stores, other, 1)
    assert keep(stores, profile, 2)
    for at in (NOW, OVER - timedelta(microseconds=1)):
        assert not keep(instance(storage), profile, 1, at)
    assert not keep(stores, profile, 1, NOW + timedelta(days=9), days=9.5)
    assert keep(stores, profile, 1, NOW + timedelta(days=9), days=8.5), "fewer days count at once"


def test_of_many_at_once_one_is_new(storage: Storage) -> None:
    profile = profile_in(instance(storage))
    assert len(at_once(8, lambda _: keep(instance(storage), profile, 1))) == 1


def test_the_oldest_go_beyond_the_most(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints, "MAX_PRINTS", 3)
    stores = instance(storage)
    profile = profile_in(stores)
    for number in range(5):
        assert keep(stores, profile, number, NOW + timedelta(seconds=number))
    assert len(keys_of(everything(storage, profile.key.subscription_id), VERIFY)) == 3
    assert [keep(stores, profile, number, NOW + timedelta(minutes=1)) for number in (4, 3, 2)] == [False] * 3


def test_the_timer_takes_them_away_when_their_days_are_over(stores: Stores, storage: Storage) -> None:
    profile = profile_in(stores)
    keep(stores, profile, 1)
    stores.upkeep.sweep(profile.key.subscription_id, OVER - timedelta(microseconds=1), 10)
    assert len(left(storage, profile)) == 2
    stores.upkeep.sweep(profile.key.subscription_id, OVER, 10)
    assert left(storage, profile) == []


@pytest.mark.parametrize("less", [{"replay_action": ReplayAction.OFF}, {"replay_days": 5.0}])
def test_what_a_new_setting_keeps_no_more_goes_with_the_next_tick_and_what_came_late_with_another(
    stores: Stores, storage: Storage, less: dict[str, object]
) -> None:
    profile = profile_in(stores)
    subscription_id, at = profile.key.subscription_id, NOW + timedelta(days=6)
    keep(stores, profile, 1)
    keep(stores, profile, 2)
    stores.upkeep.replay_changes(subscription_id, at)
    stores.subscriptions.change(subscription_id, SettingsChange(**less))
    stores.upkeep.sweep(subscription_id, at, 10)
    assert left(storage, profile) == []
    keep(stores, profile, 3, NOW)  # by a request that knew the old setting
    stores.upkeep.sweep(subscription_id, at + SETTLED, 10)
    assert left(storage, profile) == []
    assert keys_of(everything(storage, subscription_id), "due:") == []


def test_a_walk_goes_on_where_it_stopped(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints, "WALK_SLICE", 2)
    stores = instance(storage)
    profile = profile_in(stores)
    for number in range(5):
        keep(stores, profile, number)
    subscription_id = profile.key.subscription_id
    stores.subscriptions.change(subscription_id, SettingsChange(replay_action=ReplayAction.OFF))
    stores.upkeep.replay_changes(subscription_id, NOW)
    for expected in (6, 2, 0):
        stores.upkeep.sweep(subscription_id, NOW, 10)
        assert len(left(storage, profile)) == expected


def test_a_print_is_sealed(stores: Stores, storage: Storage) -> None:
    profile = profile_in(stores)
    keep(stores, profile, 1)
    stored = everything(storage, profile.key.subscription_id)
    assert print_of(1).to_bytes()[:64] not in b"".join(
        value for row in stored.values() if isinstance(row, dict) for value in row.values() if isinstance(value, bytes)
    )


@pytest.mark.parametrize("erase", ["delete", "reset", "withdraw_consent"])
def test_none_is_left_of_a_profile_that_is_erased_at_any_moment(stores: Stores, storage: Storage, erase: str) -> None:
    """Before each of the three calls to storage, and after the last."""
    for call in range(1, 5):
        profile, scissors = profile_in(stores), Scissors(interrupt_at=call)
        erased = partial(getattr(stores.profiles, erase), profile.key, NOW)
        scissors.before_call = erased
        with nullcontext() if call == 4 else pytest.raises(ProfileNotFound):
            keep(instance(storage, scissors), profile, 1)
        if call == 4:
            erased()
        assert keys_of(everything(storage, profile.key.subscription_id), VERIFY) == []
