"""The keys that open subscriptions, on every technology."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.access import AccessKey, Role
from shared.domain.errors import (
    KeyNotFound,
    StorageUnavailable,
    SubscriptionUnknown,
    TooManyKeys,
)
from shared.domain.subscription import (
    KeySlot,
    Subscription,
)
from shared.storage.backend.ports import Insert, Row
from shared.storage.key_index import digest
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, key_row, subscription_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from shared.storage.subscriptions import LOOK_UP_SECONDS, RowSubscriptionStore
from tests.contract.cutting import CuttingRows, Failure, ProcessDied, Scissors, cuts
from tests.contract.opening import EVERYTHING, KEYS, LATER, NOW, created, cut_store, indexed, opens
from tests.contract.stores import KEY_ENCRYPTION_KEY, Clock, at_once, instance, new_id


@pytest.mark.parametrize("key", ["", "first kex", "first key ", "FIRST KEY", "ключ", "x" * 5000])
def test_no_other_key_opens_anything(storage: Storage, key: str) -> None:
    store = instance(storage).subscriptions
    store.ensure(new_id(), {KeySlot.PRIMARY: "first key"})
    with pytest.raises(SubscriptionUnknown):
        store.opened_by(key)[0]


def test_keys_are_stored_only_as_digests(storage: Storage) -> None:
    store = instance(storage).subscriptions
    subscription_id = new_id()
    store.ensure(subscription_id, {KeySlot.PRIMARY: "the-plain-key"})
    store.put_key(subscription_id, KIOSK, "the-plain-key of the kiosk", 20)
    indexes = [storage.keys.get(*key_row(digest(f"the-plain-key{whose}"))) for whose in ("", " of the kiosk")]
    row = storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(subscription_id))
    assert row is not None
    rows = [row, *(index for index in indexes if index is not None)]
    assert len(rows) == 3
    assert "the-plain-key" not in repr([(row.key, dict(row.values)) for row in rows])
    assert row.values["primary_sha256"] == digest("the-plain-key")


def test_the_index_alone_opens_nothing(storage: Storage) -> None:
    store = instance(storage).subscriptions
    subscription_id = new_id()
    store.ensure(subscription_id, {KeySlot.PRIMARY: "old"})
    store.ensure(subscription_id, {KeySlot.PRIMARY: "new"})
    partition, key = key_row(digest("old"))
    storage.keys.apply(partition, [Insert(key, {"subscription_id": subscription_id})])
    with pytest.raises(SubscriptionUnknown):
        store.opened_by("old")[0]
    assert store.opened_by("new")[0].subscription_id == subscription_id


def test_a_key_that_opened_is_remembered_for_a_short_time(storage: Storage) -> None:
    now, scissors = [1000.0], Scissors()
    elsewhere = cut_store(storage, scissors, lambda: now[0])
    store, subscription_id = created(storage)
    assert opens(elsewhere, "first key")
    scissors.calls.clear()
    store.replace_key(subscription_id, KeySlot.PRIMARY, "new key")
    assert opens(store, "first key", "new key") == ["new key"], "at once on this instance"
    now[0] += LOOK_UP_SECONDS - 0.01
    assert opens(elsewhere, "first key")
    assert scissors.calls == []
    now[0] += 0.01
    assert opens(elsewhere, "first key", "new key") == ["new key"]


def test_a_key_that_did_not_open_is_not_remembered(storage: Storage) -> None:
    store = instance(storage).subscriptions
    with pytest.raises(SubscriptionUnknown):
        store.opened_by("key")[0]
    store.ensure(new_id(), {KeySlot.PRIMARY: "key"})
    store.opened_by("key")[0]


class Overtaken(CuttingRows):
    """Something happens right after the first row is read, before the reader goes on."""

    meanwhile: Callable[[], object] | None = None

    def get(self, partition: str, key: str) -> Row | None:
        row = super().get(partition, key)
        happening, self.meanwhile = self.meanwhile, None
        if happening:
            happening()
        return row


def test_a_look_up_that_was_overtaken_by_a_deletion_is_not_remembered(storage: Storage) -> None:
    _, subscription_id = created(storage)
    rows = Overtaken(storage.subscriptions, Scissors())
    data_keys = DataKeys(storage.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
    store = RowSubscriptionStore(rows, storage.keys, data_keys, Clock())
    rows.meanwhile = lambda: store.begin_deletion(subscription_id, NOW, "request")
    assert opens(store, "first key"), "this one was let in before"
    assert not opens(store, "first key")


@pytest.mark.parametrize("slot", list(KeySlot))
def test_a_new_key_takes_the_place_of_one_and_leaves_the_other(storage: Storage, slot: KeySlot) -> None:
    store, subscription_id = created(storage, EVERYTHING)
    (other,) = set(KeySlot) - {slot}
    assert opens(store, *KEYS.values()) == list(KEYS.values())
    store.replace_key(subscription_id, slot, "new key")
    subscription, access = store.opened_by("new key")
    assert (subscription, access.name) == (Subscription(subscription_id, settings=EVERYTHING), slot)
    assert store.opened_by(KEYS[other])[1].name == other
    assert opens(store, KEYS[slot]) == indexed(storage, KEYS[slot]) == []


def test_keys_regenerated_at_once_leave_one_for_each_slot_and_no_index_behind(storage: Storage) -> None:
    _, subscription_id = created(storage)
    new = [(slot, f"{slot.value} {number}") for number in range(3) for slot in KeySlot]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda new_key: instance(storage).subscriptions.replace_key(subscription_id, *new_key), new))
    store = instance(storage).subscriptions
    opening = [(slot, key) for slot, key in new if opens(store, key)]
    assert sorted(slot.value for slot, _ in opening) == ["primary", "secondary"]
    known = [*KEYS.values(), *(key for _, key in new)]
    assert opens(store, *known) == indexed(storage, *known) == [key for _, key in opening]


KIOSK = AccessKey("kiosk", Role.RECOGNISE, NOW, NOW + timedelta(hours=1))


def test_a_key_of_a_name_of_its_own_opens_with_its_role_until_it_expires(storage: Storage) -> None:
    _, subscription_id = created(storage, EVERYTHING)
    clock = Clock()
    store = instance(storage, clock=clock).subscriptions
    assert store.put_key(subscription_id, KIOSK, "kiosk's key", 20) == (KIOSK, True)
    assert store.opened_by("kiosk's key") == (store.get(subscription_id), KIOSK)
    clock.now = NOW + timedelta(hours=1, microseconds=-1)
    assert opens(store, "kiosk's key")
    clock.now = NOW + timedelta(hours=1)
    assert opens(store, "kiosk's key", "first key") == ["first key"], "though the look-up is remembered"
    later = replace(KIOSK, role=Role.ENROLL, expires_at=None)
    assert store.put_key(subscription_id, replace(later, created_at=clock.now), "not taken", 20) == (later, False)
    assert store.opened_by("kiosk's key") == (store.get(subscription_id), later)
    assert opens(store, "not taken") == indexed(storage, "not taken") == []
    classic = [AccessKey(name, EVERYTHING.classic_role) for name in KeySlot]
    assert store.keys(subscription_id) == [*classic, later]


def test_a_key_of_a_name_of_its_own_is_replaced_and_taken_away(storage: Storage) -> None:
    store, subscription_id = created(storage, EVERYTHING)
    store.put_key(subscription_id, KIOSK, "kiosk's key", 20)
    store.replace_key(subscription_id, "kiosk", "kiosk's new key", LATER)
    assert opens(store, "kiosk's key") == indexed(storage, "kiosk's key") == []
    assert store.opened_by("kiosk's new key")[1] == replace(KIOSK, created_at=LATER)
    for _ in range(2):
        store.remove_key(subscription_id, "kiosk")
        assert opens(store, "kiosk's new key") == indexed(storage, "kiosk's new key") == []
    with pytest.raises(KeyNotFound):
        store.replace_key(subscription_id, "kiosk", "a third key", LATER)
    assert indexed(storage, "a third key") == []
    assert opens(store, *KEYS.values()) == list(KEYS.values())
    assert store.get(subscription_id) == Subscription(subscription_id, settings=EVERYTHING)


def test_there_are_so_many_keys_and_no_more(storage: Storage) -> None:
    store, subscription_id = created(storage)
    for number in range(3):
        store.put_key(subscription_id, replace(KIOSK, name=f"kiosk-{number}"), f"key {number}", 3)
    with pytest.raises(TooManyKeys):
        store.put_key(subscription_id, KIOSK, "one too many", 3)
    assert indexed(storage, "one too many") == []
    assert not store.put_key(subscription_id, replace(KIOSK, name="kiosk-1"), "not taken", 3)[1]
    store.begin_deletion(subscription_id, NOW, "request")
    assert opens(store, "key 0", "key 1", "key 2") == []
    store.remove_keys(subscription_id)
    assert indexed(storage, "key 0", "key 1", "key 2", *KEYS.values()) == []


def test_of_keys_made_at_once_under_one_name_one_counts(storage: Storage) -> None:
    _, subscription_id = created(storage)

    def put(number: int) -> bool:
        return instance(storage).subscriptions.put_key(subscription_id, KIOSK, f"key {number}", 20)[1]

    new = at_once(3, put)
    assert len(new) == 1
    keys = [f"key {number}" for number in range(3)]
    assert opens(instance(storage).subscriptions, *keys) == indexed(storage, *keys) == [f"key {new[0]}"]


KEY_CHANGES: dict[str, Callable[[RowSubscriptionStore, str, str], object]] = {
    "put": lambda store, owner, key: store.put_key(owner, replace(KIOSK, name="another"), key, 20),
    "replace": lambda store, owner, key: store.replace_key(owner, "kiosk", key, NOW),
    "remove": lambda store, owner, _: store.remove_key(owner, "kiosk"),
    "regenerate": lambda store, owner, key: store.replace_key(owner, KeySlot.PRIMARY, key),
}


@pytest.mark.parametrize("failure", list(Failure))
@pytest.mark.parametrize("change", list(KEY_CHANGES))
def test_a_change_of_a_key_that_is_cut_off_locks_nobody_out_and_leaves_nothing_untold(
    storage: Storage, step: int, change: str, failure: Failure
) -> None:
    """At every call: what opens is what the row says, and the erasure finds every index row."""
    known = [*KEYS.values(), "kiosk's key", "new key", "newest key"]
    for scissors in cuts(failure, step=step):
        store, subscription_id = created(storage)
        store.put_key(subscription_id, KIOSK, "kiosk's key", 20)
        with suppress(ProcessDied, StorageUnavailable):
            KEY_CHANGES[change](cut_store(storage, scissors), subscription_id, "new key")
        store = instance(storage).subscriptions
        opening = opens(store, *known)
        assert len(opening) == len(store.keys(subscription_id))
        assert "second key" in opening
        assert "first key" in opening or change == "regenerate"
        KEY_CHANGES[change](store, subscription_id, "newest key")
        assert bool(opens(store, "new key", "newest key")) == (change != "remove")
        store.begin_deletion(subscription_id, NOW, "request")
        store.remove_keys(subscription_id)
        assert indexed(storage, *known) == [], f"call {scissors.at}"


@pytest.mark.parametrize("failure", list(Failure))
def test_a_creation_that_is_cut_off_can_be_given_keys(storage: Storage, step: int, failure: Failure) -> None:
    new = {slot: f"new {slot.value}" for slot in KeySlot}
    for scissors in cuts(failure, step=step):
        subscription_id = new_id()
        with suppress(ProcessDied, StorageUnavailable):
            cut_store(storage, scissors).create(Subscription(subscription_id), KEYS)
        store = instance(storage).subscriptions
        store.ensure(subscription_id, new)
        assert opens(store, *new.values()) == list(new.values())
        store.begin_deletion(subscription_id, NOW, "request")
        store.remove_keys(subscription_id)
        assert indexed(storage, *KEYS.values(), *new.values()) == [], f"call {scissors.at}"


def test_only_its_own_rows_leave_the_index(storage: Storage) -> None:
    store, subscription_id = created(storage)
    other = new_id()
    store.create(Subscription(other), {KeySlot.PRIMARY: "key of the other", KeySlot.SECONDARY: "second key"})
    store.begin_deletion(subscription_id, NOW, "request")
    for _ in range(2):
        store.remove_keys(subscription_id)
        assert indexed(storage, *KEYS.values()) == ["second key"]
    for key in ("key of the other", "second key"):
        assert store.opened_by(key)[0].subscription_id == other
