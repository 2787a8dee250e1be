"""Creating, reading and listing profiles, on every technology."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.errors import ProfileNotFound
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Scissors
from tests.contract.expiring import assert_absent
from tests.contract.stores import (
    LATER,
    NOW,
    assert_same_signature,
    enroll,
    enrolled,
    everything,
    instance,
    new_enrollment,
    new_id,
    new_profile,
    new_subscription,
)

KINDS = list(ProfileKind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_created_profile_is_read_back_as_it_was(stores: Stores, kind: ProfileKind) -> None:
    profile = new_profile(new_subscription(stores), kind)
    assert stores.profiles.create(profile, 10) == profile
    assert stores.profiles.get(profile.key) == profile
    assert stores.profiles.get_with_signature(profile.key) == (profile, None)


def test_an_absent_profile_is_not_found_by_any_method(stores: Stores, storage: Storage) -> None:
    key = new_profile(new_subscription(stores)).key
    assert_absent(stores, key)
    stores.profiles.touch(key, NOW)
    assert everything(storage, key.subscription_id) == {}


def test_a_profile_is_found_only_in_its_own_subscription_and_kind(stores: Stores, created: Profile) -> None:
    other = new_subscription(stores)
    foreign = replace(created.key, subscription_id=other)
    for key in (foreign, replace(created.key, kind=ProfileKind.TEXT_DEPENDENT_VERIFICATION)):
        with pytest.raises(ProfileNotFound):
            stores.profiles.get(key)
        with pytest.raises(ProfileNotFound):
            stores.profiles.delete(key, NOW)
        with pytest.raises(ProfileNotFound):
            stores.profiles.reset(key, NOW)
        stores.profiles.touch(key, LATER)
    assert stores.profiles.list(other, ProfileKind.IDENTIFICATION) == []
    assert stores.profiles.get(created.key).last_action_at == NOW


@pytest.mark.parametrize("profile_id", ["a/b", "a#b", "a?b", "a\\b", "a\nb", "ä", "", "x" * 600])
def test_an_id_that_cannot_stand_in_a_key_is_refused_or_absent(stores: Stores, profile_id: str) -> None:
    key = ProfileKey(new_subscription(stores), ProfileKind.IDENTIFICATION, profile_id)
    with pytest.raises((ValueError, ProfileNotFound)):
        stores.profiles.get(key)
    with pytest.raises((ValueError, ProfileNotFound)):
        stores.profiles.get(replace(key, subscription_id=profile_id, profile_id=new_id()))


def test_many_profiles_come_in_the_order_asked_for(stores: Stores, subscription_id: str) -> None:
    profiles = [stores.profiles.create(new_profile(subscription_id), 100) for _ in range(12)]
    for seed, profile in enumerate(profiles[:6]):
        enroll(stores, profile.key, seed)
    asked = [profiles[index].key for index in (5, 11, 0, 3, 0, 7)]
    found = stores.profiles.get_many_with_signatures(asked)
    assert [profile.key for profile, _ in found] == asked
    assert [signature is not None for _, signature in found] == [True, False, True, True, True, False]
    assert_same_signature(found[3][1], new_enrollment(seed=3).signature)
    assert stores.profiles.get_many_with_signatures([]) == []


def test_a_few_of_very_many_profiles_are_found_too(stores: Stores, subscription_id: str, storage: Storage) -> None:
    keys = sorted((stores.profiles.create(new_profile(subscription_id), 100).key for _ in range(40)), key=str)
    scissors = Scissors()
    profiles = instance(storage, scissors).profiles
    asked = [keys[39], keys[0], keys[10], keys[1]]
    for _ in range(2):
        assert [profile.key for profile, _ in profiles.get_many_with_signatures(asked)] == asked
    assert scissors.calls == ["query", *8 * ["get"]], "from then on no range"
    near = [keys[5], keys[3], keys[4]]
    scissors.calls.clear()
    others = instance(storage, scissors).profiles
    assert [profile.key for profile, _ in others.get_many_with_signatures(near)] == near
    assert scissors.calls == ["query"]


def test_of_many_profiles_the_first_absent_is_named(stores: Stores, subscription_id: str) -> None:
    there = stores.profiles.create(new_profile(subscription_id), 10)
    absent = [new_profile(subscription_id).key for _ in range(3)]
    for asked in ([there.key, *absent], [there.key, absent[0]], absent, [absent[0]]):
        with pytest.raises(ProfileNotFound) as caught:
            stores.profiles.get_many_with_signatures(asked)
        assert caught.value.profile_id == absent[0].profile_id


def test_a_list_is_of_one_kind_in_id_order_and_can_be_paged(stores: Stores, subscription_id: str) -> None:
    for kind in KINDS:
        for _ in range(5):
            stores.profiles.create(new_profile(subscription_id, kind), 100)
    for kind in KINDS:
        whole = stores.profiles.list(subscription_id, kind)
        ids = [profile.key.profile_id for profile in whole]
        assert len(ids) == 5
        assert ids == sorted(ids)
        assert stores.profiles.list(subscription_id, kind, limit=2) == whole[:2]
        assert stores.profiles.list(subscription_id, kind, after=ids[1], limit=2) == whole[2:4]
        assert stores.profiles.list(subscription_id, kind, after=ids[4]) == []
    assert stores.profiles.list(new_subscription(stores), KINDS[0]) == []


def test_a_listed_profile_can_be_enrolled(stores: Stores, created: Profile) -> None:
    (listed,) = stores.profiles.list(created.key.subscription_id, created.key.kind)
    enrollment = new_enrollment()
    after, signature = enrolled(listed, None, enrollment)
    stores.profiles.enroll(after, signature, enrollment, None)
    assert stores.profiles.get(created.key).enrollments_count == 1
