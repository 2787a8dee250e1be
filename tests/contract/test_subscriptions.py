"""Subscriptions and the keys that open them, on every technology."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from shared.domain.errors import SubscriptionUnknown
from shared.domain.subscription import KeySlot, Subscription, SubscriptionState
from shared.storage.backend.ports import Insert, Merge
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, key_row, subscription_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from shared.storage.subscriptions import LOOK_UP_SECONDS, RowSubscriptionStore
from tests.contract.cutting import CuttingRows, Scissors
from tests.contract.stores import KEY_ENCRYPTION_KEY, instance, new_id


class Monotonic:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def store_with_clock(storage: Storage, scissors: Scissors) -> tuple[RowSubscriptionStore, Monotonic]:
    clock = Monotonic()
    data_keys = DataKeys(storage.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
    rows = CuttingRows(storage.subscriptions, scissors)
    return RowSubscriptionStore(rows, CuttingRows(storage.keys, scissors), data_keys, monotonic=clock), clock


def test_either_key_opens_its_subscription(storage: Storage) -> None:
    store = instance(storage).subscriptions
    subscription_id = new_id()
    store.ensure(subscription_id, {KeySlot.PRIMARY: "first key", KeySlot.SECONDARY: "second key"})
    assert store.by_key("first key") == store.by_key("second key") == Subscription(subscription_id)
    assert store.opened_by("first key")[1] is KeySlot.PRIMARY
    assert store.opened_by("second key")[1] is KeySlot.SECONDARY


@pytest.mark.parametrize("key", ["", "first kex", "first key ", "FIRST KEY", "ключ", "x" * 5000])
def test_no_other_key_opens_anything(storage: Storage, key: str) -> None:
    store = instance(storage).subscriptions
    store.ensure(new_id(), {KeySlot.PRIMARY: "first key"})
    with pytest.raises(SubscriptionUnknown):
        store.by_key(key)


def test_keys_are_stored_only_as_digests(storage: Storage) -> None:
    store = instance(storage).subscriptions
    subscription_id = new_id()
    store.ensure(subscription_id, {KeySlot.PRIMARY: "the-plain-key"})
    index = storage.keys.get(*key_row(sha256(b"the-plain-key").digest()))
    row = storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(subscription_id))
    assert index is not None
    assert row is not None
    assert "the-plain-key" not in repr([dict(index.values), dict(row.values), index.key, row.key])
    assert row.values["primary_sha256"] == sha256(b"the-plain-key").digest()


def test_the_index_alone_opens_nothing(storage: Storage) -> None:
    store = instance(storage).subscriptions
    subscription_id = new_id()
    store.ensure(subscription_id, {KeySlot.PRIMARY: "old"})
    store.ensure(subscription_id, {KeySlot.PRIMARY: "new"})
    partition, key = key_row(sha256(b"old").digest())
    storage.keys.apply(partition, [Insert(key, {"subscription_id": subscription_id})])
    with pytest.raises(SubscriptionUnknown):
        store.by_key("old")
    assert store.by_key("new").subscription_id == subscription_id


def test_ensure_again_changes_nothing_and_keeps_the_data_key(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_id()
    keys = {KeySlot.PRIMARY: "key"}
    first = stores.subscriptions.ensure(subscription_id, keys)
    rows = list(storage.subscriptions.query(SUBSCRIPTIONS_PARTITION, " ", "~"))
    data_key = stores.data_keys.of(subscription_id)
    assert instance(storage).subscriptions.ensure(subscription_id, keys) == first
    assert list(storage.subscriptions.query(SUBSCRIPTIONS_PARTITION, " ", "~")) == rows
    assert instance(storage).data_keys.of(subscription_id) == data_key


def test_ensure_from_many_processes_at_once_makes_one_subscription(storage: Storage) -> None:
    subscription_id = new_id()
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda _: instance(storage).subscriptions.ensure(subscription_id, {KeySlot.PRIMARY: "key"}), range(8)
            )
        )
    assert instance(storage).subscriptions.all_ids() == [subscription_id]
    assert len(instance(storage).data_keys.of(subscription_id)) == 32


@pytest.mark.parametrize("state", [SubscriptionState.DELETING, SubscriptionState.DELETED])
def test_a_subscription_that_is_not_active_opens_to_no_key_and_is_not_revived(
    storage: Storage, state: SubscriptionState
) -> None:
    store = instance(storage).subscriptions
    subscription_id = new_id()
    store.ensure(subscription_id, {KeySlot.PRIMARY: "key"})
    row = subscription_row(subscription_id)
    storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [Merge(row, {"state": state.value})])
    assert store.ensure(subscription_id, {KeySlot.PRIMARY: "another"}).state is state
    for key in ("key", "another"):
        with pytest.raises(SubscriptionUnknown):
            store.by_key(key)
    assert store.all_ids() == [subscription_id]


def test_a_key_that_opened_is_remembered_for_a_short_time(storage: Storage) -> None:
    scissors = Scissors()
    store, clock = store_with_clock(storage, scissors)
    subscription_id = new_id()
    store.ensure(subscription_id, {KeySlot.PRIMARY: "key"})
    store.by_key("key")
    scissors.calls.clear()
    clock.seconds += LOOK_UP_SECONDS - 0.01
    store.by_key("key")
    assert scissors.calls == []
    row = subscription_row(subscription_id)
    storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [Merge(row, {"state": "deleted"})])
    clock.seconds += 0.01
    with pytest.raises(SubscriptionUnknown):
        store.by_key("key")
    assert scissors.calls == ["get", "get"]


def test_a_key_that_did_not_open_is_not_remembered(storage: Storage) -> None:
    store = instance(storage).subscriptions
    with pytest.raises(SubscriptionUnknown):
        store.by_key("key")
    store.ensure(new_id(), {KeySlot.PRIMARY: "key"})
    store.by_key("key")


def test_all_ids_are_in_order(storage: Storage) -> None:
    store = instance(storage).subscriptions
    ids = [new_id() for _ in range(4)]
    for subscription_id in ids:
        store.ensure(subscription_id, {KeySlot.PRIMARY: f"key of {subscription_id}"})
    assert list(store.all_ids()) == sorted(ids)
