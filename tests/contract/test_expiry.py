"""Profiles that end: absent from the second on, looked at only when due, erased by the timer, on every technology."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.audit import AuditAction
from shared.domain.errors import ProfileNotFound
from shared.domain.profile import ProfileKind, RetentionOverride
from shared.storage.backend.ports import Remove
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Scissors
from tests.contract.expiring import (
    DAY,
    KINDS,
    SECOND,
    armed,
    assert_absent,
    index,
    keeping,
    sweep,
    trail,
)
from tests.contract.stores import NOW, Clock, enroll, everything, instance, keys_of, new_profile


@pytest.mark.parametrize("kind", KINDS)
def test_a_profile_is_absent_for_every_method_from_the_second_on(
    stores: Stores, clock: Clock, storage: Storage, kind: ProfileKind
) -> None:
    profile = stores.profiles.create(new_profile(keeping(stores, age=1.5), kind), 10)
    end = NOW + timedelta(days=1.5)
    assert profile.expires_at == end
    assert enroll(stores, profile.key).expires_at == end
    clock.now = end - timedelta(microseconds=1)
    assert stores.profiles.get(profile.key).expires_at == end
    assert [one.expires_at for one in stores.profiles.list(profile.key.subscription_id, kind)] == [end]
    clock.now = end
    before = everything(storage, profile.key.subscription_id)
    assert_absent(stores, profile.key)
    assert everything(storage, profile.key.subscription_id) == before


def test_a_candidate_that_expired_is_named_like_one_that_never_was(stores: Stores, clock: Clock) -> None:
    subscription_id = keeping(stores, age=1.0)
    old = stores.profiles.create(new_profile(subscription_id), 10)
    clock.now = NOW + DAY
    young = stores.profiles.create(replace(new_profile(subscription_id), last_action_at=clock.now), 10)
    absent = new_profile(subscription_id)
    for keys in ([young.key, old.key, absent.key], [old.key, young.key], [young.key, old.key]):
        with pytest.raises(ProfileNotFound) as caught:
            stores.profiles.get_many_with_signatures(keys)
        assert caught.value.profile_id == old.key.profile_id
    with pytest.raises(ProfileNotFound) as caught:
        stores.profiles.get_many_with_signatures([absent.key, old.key])
    assert caught.value.profile_id == absent.key.profile_id


def test_a_page_is_filled_up_behind_what_has_expired(stores: Stores, clock: Clock) -> None:
    subscription_id = keeping(stores)
    made = sorted(
        (stores.profiles.create(new_profile(subscription_id), 20) for _ in range(9)), key=lambda one: one.key.profile_id
    )
    for number in (0, 1, 2, 4, 5, 8):
        stores.profiles.annotate(replace(made[number], retention=RetentionOverride(max_age_days=1.0)))
    clock.now = NOW + DAY
    ids = [one.key.profile_id for one in made]
    kind = ProfileKind.IDENTIFICATION

    def listed(after: str | None, limit: int | None) -> list[str]:
        return [one.key.profile_id for one in stores.profiles.list(subscription_id, kind, after=after, limit=limit)]

    assert listed(None, 2) == [ids[3], ids[6]]
    assert listed(ids[6], 2) == [ids[7]]
    assert listed(ids[7], 2) == []
    assert listed(None, None) == [ids[3], ids[6], ids[7]]


def test_the_timer_erases_what_has_expired_and_nothing_else(stores: Stores, clock: Clock, storage: Storage) -> None:
    subscription_id = keeping(stores, age=1.0)
    doomed = stores.profiles.create(new_profile(subscription_id), 10)
    enroll(stores, doomed.key, seed=1)
    enroll(stores, doomed.key, seed=2)
    kept = stores.profiles.create(new_profile(subscription_id), 10)
    stores.profiles.annotate(replace(kept, retention=RetentionOverride(None, None)))
    clock.now = NOW + DAY
    assert stores.upkeep.sweep(subscription_id, clock.now - SECOND, 10) == 0
    assert stores.upkeep.sweep(subscription_id, clock.now, 10) == 2
    stored = everything(storage, subscription_id)
    assert keys_of(stored, "profile:") == [f"profile:tii:{kept.key.profile_id}"]
    assert keys_of(stored, "enrollment:") + keys_of(stored, "due:") + keys_of(stored, subscription_id) == []
    assert stored["tally"] == {"profiles": 1}
    assert [(entry.action, entry.profile, entry.at) for entry in trail(stores, subscription_id)] == [
        (AuditAction.EXPIRE_PROFILE, doomed.key, clock.now)
    ]


def test_use_and_enrollment_write_nothing_for_it_and_the_timer_arms_anew(
    stores: Stores, clock: Clock, storage: Storage
) -> None:
    key = stores.profiles.create(new_profile(keeping(stores, idle=1.0)), 10).key
    first = [armed(NOW + DAY, key)]
    enroll(stores, key, audio=None)
    used = NOW + timedelta(hours=20)
    stores.profiles.touch(key, used)
    assert index(storage, key.subscription_id) == first
    clock.now = NOW + DAY
    assert stores.upkeep.sweep(key.subscription_id, clock.now, 10) == 1
    assert index(storage, key.subscription_id) == [armed(used + DAY, key)]
    assert stores.profiles.get(key).expires_at == used + DAY
    clock.now = used + DAY
    assert stores.upkeep.sweep(key.subscription_id, clock.now, 10) == 1
    assert everything(storage, key.subscription_id) == {"tally": {"profiles": 0}}


def test_a_use_in_the_middle_of_the_timers_work_saves_the_profile(storage: Storage) -> None:
    clock = Clock(NOW + DAY)
    key = (stores := instance(storage)).profiles.create(new_profile(keeping(stores, idle=1.0)), 10).key
    enroll(stores, key, audio=None)
    used = NOW + timedelta(hours=23)
    scissors = Scissors(interrupt_at=5, before_call=lambda: stores.profiles.touch(key, used))
    timer = instance(storage, scissors, clock)
    assert timer.upkeep.sweep(key.subscription_id, clock.now, 10) == 1
    assert scissors.calls[:5] == ["query", "get", "get", "get", "apply"]
    assert timer.profiles.get(key).last_action_at == used
    assert index(storage, key.subscription_id) == [armed(used + DAY, key)]


def test_two_timers_at_once_remove_once(stores: Stores, storage: Storage) -> None:
    subscription_id = keeping(stores, age=1.0)
    keys = [stores.profiles.create(new_profile(subscription_id), 10).key for _ in range(3)]
    other = instance(storage)
    scissors = Scissors(interrupt_at=4, before_call=lambda: sweep(other, subscription_id, NOW + DAY + SECOND))
    instance(storage, scissors).upkeep.sweep(subscription_id, NOW + DAY, 10)
    assert everything(storage, subscription_id) == {"tally": {"profiles": 0}}
    assert len(trail(stores, subscription_id)) == len(keys)


def test_a_deleted_profile_leaves_no_row_in_the_index(stores: Stores, storage: Storage) -> None:
    key = stores.profiles.create(new_profile(keeping(stores, age=400.0)), 10).key
    assert index(storage, key.subscription_id) != []
    stores.profiles.delete(key, NOW)
    assert everything(storage, key.subscription_id) == {"tally": {"profiles": 0}}


def test_an_index_row_whose_profile_is_gone_is_dropped(stores: Stores, storage: Storage) -> None:
    key = stores.profiles.create(new_profile(keeping(stores, age=1.0)), 10).key
    storage.voices.apply(key.subscription_id, [Remove(f"profile:tii:{key.profile_id}")])
    assert stores.upkeep.sweep(key.subscription_id, NOW + DAY, 10) == 1
    assert index(storage, key.subscription_id) == []
    assert trail(stores, key.subscription_id) == []
