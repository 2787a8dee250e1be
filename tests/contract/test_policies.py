"""A retention policy that changes, and a profile's own, on every technology."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.profile import RetentionOverride
from shared.domain.subscription import UNSET, SettingsChange
from shared.storage.layout import due_row
from shared.storage.profiles.schedule import SETTLED
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Scissors
from tests.contract.expiring import (
    DAY,
    KINDS,
    armed,
    assert_absent,
    change_policy,
    index,
    keeping,
    sweep,
)
from tests.contract.stores import NOW, Clock, enroll, everything, instance, keys_of, new_profile


def test_a_profile_that_no_policy_touches_costs_nothing(storage: Storage) -> None:
    scissors = Scissors()
    stores = instance(storage, scissors)
    profile = stores.profiles.create(new_profile(keeping(stores)), 10)
    enroll(stores, profile.key, audio=None)
    assert index(storage, profile.key.subscription_id) == []
    del scissors.calls[:]
    assert stores.upkeep.sweep(profile.key.subscription_id, NOW + 1000 * DAY, 10) == 0
    assert scissors.calls == ["query"]


def test_a_shorter_policy_is_in_force_at_once_and_the_walk_arms_for_it(
    stores: Stores, clock: Clock, storage: Storage
) -> None:
    subscription_id = keeping(stores, age=100.0)
    keys = [stores.profiles.create(new_profile(subscription_id, kind), 10).key for kind in KINDS]
    clock.now = NOW + 2 * DAY
    change_policy(stores, subscription_id, clock.now, age=1.0)
    for key in keys:
        assert_absent(stores, key)
    sweep(stores, subscription_id, clock.now)
    assert keys_of(everything(storage, subscription_id), "profile:") == []
    sweep(stores, subscription_id, clock.now + SETTLED)
    assert everything(storage, subscription_id) == {"tally": {"profiles": 0}}


def test_a_first_policy_finds_the_profiles_that_were_there_before(stores: Stores, storage: Storage) -> None:
    subscription_id = keeping(stores)
    key = stores.profiles.create(new_profile(subscription_id), 10).key
    change_policy(stores, subscription_id, NOW, age=3.0)
    assert stores.profiles.get(key).expires_at == NOW + 3 * DAY
    sweep(stores, subscription_id, NOW + SETTLED)
    assert index(storage, subscription_id) == [armed(NOW + 3 * DAY, key)]


def test_a_longer_policy_keeps_what_was_armed_for_the_shorter_one(
    stores: Stores, clock: Clock, storage: Storage
) -> None:
    subscription_id = keeping(stores, age=1.0)
    key = stores.profiles.create(new_profile(subscription_id), 10).key
    clock.now = NOW + timedelta(hours=12)
    change_policy(stores, subscription_id, clock.now, age=30.0)
    clock.now = NOW + DAY
    sweep(stores, subscription_id, clock.now)
    assert index(storage, subscription_id) == [armed(NOW + 30 * DAY, key)]
    change_policy(stores, subscription_id, clock.now, age=None)
    sweep(stores, subscription_id, NOW + 30 * DAY)
    assert index(storage, subscription_id) == []
    assert stores.profiles.get(key).expires_at is None


def test_a_profile_made_under_the_old_policy_while_it_changed_is_found_by_the_second_walk(storage: Storage) -> None:
    stores, stale = instance(storage), instance(storage)
    subscription_id = keeping(stores)
    stores.upkeep.policy_changes(subscription_id, NOW)
    late = stale.profiles.create(new_profile(subscription_id), 10)
    sweep(stores, subscription_id, NOW)
    stores.subscriptions.change(subscription_id, SettingsChange(max_age_days=3.0))
    sweep(stores, subscription_id, NOW + SETTLED)
    assert index(storage, subscription_id) == [armed(NOW + 3 * DAY, late.key)]


def test_a_walk_goes_on_where_its_last_slice_ended(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.profiles.expiry.WALK_SLICE", 2)
    monkeypatch.setattr("shared.storage.profiles.expiry._PAGE", 1)
    stores = instance(storage)
    subscription_id = keeping(stores)
    keys = [stores.profiles.create(new_profile(subscription_id, kind), 10).key for kind in KINDS for _ in range(2)]
    change_policy(stores, subscription_id, NOW, age=3.0)
    counts = []
    for _ in range(5):
        stores.upkeep.sweep(subscription_id, NOW, 10)
        counts.append(len([row for row in index(storage, subscription_id) if ":expire:" in row]))
    assert counts == [2, 4, 6, 6, 6]
    assert index(storage, subscription_id)[0] != due_row(NOW, "policy", "")
    assert len(index(storage, subscription_id)) == len(keys) + 1  # the second walk is still to come


@pytest.mark.parametrize("age", [0.5, 2.0])
def test_a_profiles_own_policy_goes_first_and_can_be_given_up(
    stores: Stores, clock: Clock, storage: Storage, age: float
) -> None:
    profile = stores.profiles.create(new_profile(keeping(stores, age=1.0)), 10)
    own = stores.profiles.annotate(replace(profile, retention=RetentionOverride(max_age_days=age)))
    end = NOW + age * DAY
    assert own.expires_at == end
    assert stores.profiles.get(profile.key).retention == RetentionOverride(age, UNSET)
    assert index(storage, profile.key.subscription_id) == [armed(min(end, NOW + DAY), profile.key)]
    back = stores.profiles.annotate(replace(own, retention=RetentionOverride()))
    assert back.expires_at == NOW + DAY
    sweep(stores, profile.key.subscription_id, NOW + DAY / 2)
    assert index(storage, profile.key.subscription_id) == [armed(NOW + DAY, profile.key)]
