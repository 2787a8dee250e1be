"""Named groups: who is in them, and that nobody is any more who is gone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from shared.domain.errors import GroupNotFound, ProfileNotFound, StorageUnavailable, TooManyGroups
from shared.domain.group import Group
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.stores import Storage, Stores
from tests.contract.comparing import new_speaker
from tests.contract.cutting import Failure, ProcessDied, Scissors, cuts
from tests.contract.expiring import keeping, sweep
from tests.contract.stores import NOW, Clock, everything, instance, keys_of, new_id, new_profile, new_subscription


def new_group(stores: Stores, subscription_id: str, name: str = "night-shift") -> Group:
    group = Group(subscription_id, name, new_id(), NOW)
    assert stores.groups.put(group, 100)
    return group


def members(stores: Stores, subscription_id: str, name: str = "night-shift") -> set[str]:
    return set(stores.groups.all_members(subscription_id, name))


def assert_no_membership_is_left(storage: Storage, subscription_id: str) -> None:
    stored = everything(storage, subscription_id)
    assert keys_of(stored, "member:") == keys_of(stored, "grouped:") == keys_of(stored, "due:") == []


def test_a_group_has_those_who_were_added(stores: Stores, subscription_id: str) -> None:
    group = new_group(stores, subscription_id)
    one, other = new_speaker(stores, subscription_id), stores.profiles.create(new_profile(subscription_id), 10).key
    assert members(stores, subscription_id) == set()
    for key in (one, other, one):
        stores.groups.add(group.name, key)
    assert members(stores, subscription_id) == {one.profile_id, other.profile_id}
    stores.groups.take_out(group.name, one)
    stores.groups.take_out(group.name, one)
    assert members(stores, subscription_id) == {other.profile_id}
    assert stores.groups.get(subscription_id, group.name) == group


def test_another_instance_sees_a_change_at_once(storage: Storage) -> None:
    here, there = instance(storage), instance(storage)
    subscription_id = new_subscription(here)
    new_group(here, subscription_id)
    for _ in range(3):
        assert members(there, subscription_id) == members(here, subscription_id)
        here.groups.add("night-shift", new_speaker(here, subscription_id))
    assert len(members(there, subscription_id)) == 3


def test_members_that_did_not_change_are_one_read(storage: Storage) -> None:
    scissors = Scissors()
    stores = instance(storage, scissors)
    subscription_id = new_subscription(stores)
    new_group(stores, subscription_id)
    stores.groups.add("night-shift", new_speaker(stores, subscription_id))
    members(stores, subscription_id)
    scissors.calls.clear()
    assert len(members(stores, subscription_id)) == 1
    assert scissors.calls == ["get"]


def test_groups_and_members_come_in_pages(stores: Stores, subscription_id: str) -> None:
    for name in ("b", "a", "B", "c"):
        new_group(stores, subscription_id, name)
    page = stores.groups.page(subscription_id, after=None, limit=2)
    assert [one.name for one in page] == ["B", "a"]
    assert [one.name for one in stores.groups.page(subscription_id, after="a", limit=9)] == ["b", "c"]
    keys = sorted(new_speaker(stores, subscription_id).profile_id for _ in range(3))
    for one in keys:
        stores.groups.add("a", key_of(subscription_id, one))
    assert list(stores.groups.members(subscription_id, "a", after=None, limit=2)) == keys[:2]
    assert list(stores.groups.members(subscription_id, "a", after=keys[1], limit=2)) == keys[2:]


def key_of(subscription_id: str, profile_id: str) -> ProfileKey:
    return ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, profile_id)


def test_a_group_that_is_there_is_not_made_again_and_their_number_is_bounded(
    stores: Stores, subscription_id: str
) -> None:
    group = new_group(stores, subscription_id)
    assert not stores.groups.put(Group(subscription_id, group.name, new_id(), NOW), 100)
    assert stores.groups.get(subscription_id, group.name) == group
    with pytest.raises(TooManyGroups):
        stores.groups.put(Group(subscription_id, "two", new_id(), NOW), 1)


def test_what_is_not_there_is_not_found(stores: Stores) -> None:
    mine, yours = new_subscription(stores), new_subscription(stores)
    new_group(stores, yours)
    key, foreign = new_speaker(stores, mine), new_speaker(stores, yours)
    calls: list[Callable[[], object]] = [
        lambda: stores.groups.get(mine, "night-shift"),
        lambda: stores.groups.remove(mine, "night-shift", NOW),
        lambda: stores.groups.add("night-shift", key),
        lambda: stores.groups.take_out("night-shift", key),
        lambda: stores.groups.all_members(mine, "night-shift"),
        lambda: stores.groups.members(mine, "night-shift", after=None, limit=1),
    ]
    for call in calls:
        with pytest.raises(GroupNotFound):
            call()
    new_group(stores, mine)
    for absent in (new_profile(mine).key, key_of(mine, foreign.profile_id)):
        with pytest.raises(ProfileNotFound):
            stores.groups.add("night-shift", absent)
        stores.groups.take_out("night-shift", absent)
    assert members(stores, mine) == set()


def test_a_reset_profile_stays_in_its_groups_and_a_deleted_one_is_in_none(
    stores: Stores, subscription_id: str, storage: Storage
) -> None:
    key = new_speaker(stores, subscription_id)
    for name in ("one", "two"):
        new_group(stores, subscription_id, name)
        stores.groups.add(name, key)
    stores.profiles.reset(key, NOW)
    assert members(stores, subscription_id, "one") == {key.profile_id}
    stores.profiles.delete(key, NOW)
    assert_no_membership_is_left(storage, subscription_id)
    assert members(instance(storage), subscription_id, "one") == set()


def test_an_expired_profile_can_not_be_added_and_leaves_its_groups(
    stores: Stores, clock: Clock, storage: Storage
) -> None:
    subscription_id = keeping(stores, age=1.0)
    new_group(stores, subscription_id)
    key, other = new_speaker(stores, subscription_id), new_speaker(stores, subscription_id)
    stores.groups.add("night-shift", key)
    clock.now = NOW + timedelta(days=1)
    with pytest.raises(ProfileNotFound):
        stores.groups.add("night-shift", other)
    sweep(stores, subscription_id, clock.now)
    assert_no_membership_is_left(storage, subscription_id)


def test_nobody_is_in_a_group_made_under_an_earlier_ones_name(
    subscription_id: str, stores: Stores, storage: Storage
) -> None:
    new_group(stores, subscription_id)
    stores.groups.add("night-shift", new_speaker(stores, subscription_id))
    stores.groups.remove(subscription_id, "night-shift", NOW)
    assert_no_membership_is_left(storage, subscription_id)
    new_group(stores, subscription_id)
    assert members(stores, subscription_id) == set()


@pytest.mark.parametrize("failure", list(Failure))
def test_a_deletion_of_a_group_cut_anywhere_is_finished_by_the_timer(
    storage: Storage, step: int, failure: Failure
) -> None:
    for scissors in cuts(failure, step=step, least=3):
        stores = instance(storage)
        subscription_id = new_subscription(stores)
        new_group(stores, subscription_id)
        for _ in range(2):
            stores.groups.add("night-shift", new_speaker(stores, subscription_id))
        with suppress(ProcessDied, StorageUnavailable):
            instance(storage, scissors).groups.remove(subscription_id, "night-shift", NOW)
        with suppress(GroupNotFound):
            stores.groups.remove(subscription_id, "night-shift", NOW)
        sweep(stores, subscription_id, NOW)
        assert_no_membership_is_left(storage, subscription_id)


def test_nobody_is_added_who_is_deleted_at_that_moment(storage: Storage) -> None:
    for call in range(1, 6):
        stores = instance(storage)
        subscription_id = new_subscription(stores)
        new_group(stores, subscription_id)
        key = new_speaker(stores, subscription_id)

        def delete(key: ProfileKey = key) -> None:
            instance(storage).profiles.delete(key, NOW)

        adding = instance(storage, Scissors(interrupt_at=call, before_call=delete))
        with suppress(ProfileNotFound):
            adding.groups.add("night-shift", key)
        if call == 5:  # add has four calls: the deletion has not happened
            stores.profiles.delete(key, NOW)
        assert_no_membership_is_left(storage, subscription_id)


def test_many_are_added_at_once(stores: Stores, subscription_id: str, storage: Storage) -> None:
    new_group(stores, subscription_id)
    keys = [new_speaker(stores, subscription_id) for _ in range(6)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda key: instance(storage).groups.add("night-shift", key), keys))
    assert members(stores, subscription_id) == {key.profile_id for key in keys}
