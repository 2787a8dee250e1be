"""The two keys of a subscription: regenerated one at a time, and every row of their index accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from shared.domain.errors import (
    StorageUnavailable,
    SubscriptionExists,
)
from shared.domain.subscription import (
    KeySlot,
    SettingsChange,
    Subscription,
)
from shared.storage.backend.ports import Change
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from shared.storage.subscriptions import LOOK_UP_SECONDS, RowSubscriptionStore
from tests.contract.cutting import CuttingRows, Failure, ProcessDied, Scissors
from tests.contract.stores import KEY_ENCRYPTION_KEY, instance, new_id
from tests.contract.subscribing import EVERYTHING, KEYS, NOW, created, cut_store, indexed, opens


@pytest.mark.parametrize("slot", list(KeySlot))
def test_a_new_key_takes_the_place_of_one_and_leaves_the_other(storage: Storage, slot: KeySlot) -> None:
    store, subscription_id = created(storage, EVERYTHING)
    other = next(one for one in KeySlot if one is not slot)
    for key in KEYS.values():
        assert opens(store, key)
    store.replace_key(subscription_id, slot, "new key")
    assert store.opened_by("new key") == (Subscription(subscription_id, settings=EVERYTHING), slot)
    assert store.opened_by(KEYS[other])[1] is other
    assert not opens(store, KEYS[slot]), "at once on this instance"
    assert not indexed(storage, KEYS[slot])


def test_an_old_key_stops_elsewhere_when_its_look_up_is_renewed(storage: Storage) -> None:
    store, subscription_id = created(storage)
    now = [1000.0]
    data_keys = DataKeys(storage.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
    elsewhere = RowSubscriptionStore(storage.subscriptions, storage.keys, data_keys, monotonic=lambda: now[0])
    assert opens(elsewhere, "first key")
    store.replace_key(subscription_id, KeySlot.PRIMARY, "new key")
    now[0] += LOOK_UP_SECONDS - 0.01
    assert opens(elsewhere, "first key")
    now[0] += 0.01
    assert not opens(elsewhere, "first key")
    assert opens(elsewhere, "new key")


def test_keys_regenerated_at_once_leave_one_for_each_slot_and_no_index_behind(storage: Storage) -> None:
    _, subscription_id = created(storage)
    new = [(slot, f"{slot.value} {number}") for number in range(3) for slot in KeySlot]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda one: instance(storage).subscriptions.replace_key(subscription_id, *one), new))
    store = instance(storage).subscriptions
    opening = [(slot, key) for slot, key in new if opens(store, key)]
    assert sorted(slot.value for slot, _ in opening) == ["primary", "secondary"]
    assert not opens(store, "first key")
    assert not opens(store, "second key")
    known = [key for _, key in new] + list(KEYS.values())
    assert {key for key in known if indexed(storage, key)} == {key for _, key in opening}


def test_a_key_is_regenerated_though_others_are_faster_and_each_lost_race_is_a_rest(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription_id = created(storage)
    rival, rests = instance(storage).subscriptions, list[int]()
    monkeypatch.setattr("shared.storage.backend.compare_and_swap.rest", rests.append)

    class Crowded(CuttingRows):
        def apply(self, partition: str, changes: Sequence[Change]) -> None:
            if len(rests) < 12:
                rival.change(subscription_id, SettingsChange(max_profiles=100 + len(rests)))
            super().apply(partition, changes)

    rows = Crowded(storage.subscriptions, Scissors())
    data_keys = DataKeys(storage.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
    store = RowSubscriptionStore(rows, storage.keys, data_keys)
    store.replace_key(subscription_id, KeySlot.PRIMARY, "new key")
    assert rests == list(range(1, 13))
    assert opens(store, "new key")
    assert not opens(store, KEYS[KeySlot.PRIMARY])


@pytest.mark.parametrize("failure", list(Failure))
def test_a_regeneration_that_is_cut_off_locks_nobody_out_and_leaves_nothing_untold(
    storage: Storage, failure: Failure
) -> None:
    """At every call: either key of the slot opens, the other slot's does, and the erasure finds every index row."""
    at = 0
    while True:
        at += 1
        _, subscription_id = created(storage)
        scissors = Scissors(at=at, failure=failure)
        with suppress(ProcessDied, StorageUnavailable):
            cut_store(storage, scissors).replace_key(subscription_id, KeySlot.PRIMARY, "new key")
        store = instance(storage).subscriptions
        assert opens(store, "second key")
        assert opens(store, "first key") != opens(store, "new key"), f"exactly one, call {at}"
        store.replace_key(subscription_id, KeySlot.PRIMARY, "newest key")
        assert opens(store, "newest key")
        store.begin_deletion(subscription_id, NOW, "request")
        store.remove_keys(subscription_id)
        assert not [key for key in (*KEYS.values(), "new key", "newest key") if indexed(storage, key)], f"call {at}"
        if not scissors.reached:
            break
    assert at > 5


@pytest.mark.parametrize("failure", list(Failure))
def test_a_creation_that_is_cut_off_can_be_given_keys(storage: Storage, failure: Failure) -> None:
    at = 0
    while True:
        at += 1
        subscription_id = new_id()
        scissors = Scissors(at=at, failure=failure)
        with suppress(ProcessDied, StorageUnavailable):
            cut_store(storage, scissors).create(Subscription(subscription_id), KEYS)
        store = instance(storage).subscriptions
        try:
            store.create(Subscription(subscription_id), {})
        except SubscriptionExists:
            for slot in KeySlot:
                store.replace_key(subscription_id, slot, f"new {slot.value}")
            assert opens(store, "new primary")
            assert opens(store, "new secondary")
        store.begin_deletion(subscription_id, NOW, "request")
        store.remove_keys(subscription_id)
        assert not [key for key in (*KEYS.values(), "new primary", "new secondary") if indexed(storage, key)]
        if not scissors.reached:
            break
    assert at > 2


def test_only_its_own_rows_leave_the_index(storage: Storage) -> None:
    store, subscription_id = created(storage)
    other = new_id()
    store.create(Subscription(other), {KeySlot.PRIMARY: "key of the other"})
    store.begin_deletion(subscription_id, NOW, "request")
    store.remove_keys(subscription_id)
    assert not indexed(storage, "first key")
    assert not indexed(storage, "second key")
    assert store.by_key("key of the other").subscription_id == other
    store.remove_keys(subscription_id)
