"""The life of a subscription: made, changed, given other keys, and destroyed, on every technology."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.domain.errors import (
    SubscriptionExists,
    SubscriptionNotActive,
    SubscriptionNotFound,
    SubscriptionUnknown,
)
from shared.domain.subscription import KeySlot, SettingsChange, Subscription, SubscriptionSettings, SubscriptionState
from shared.storage.backend.ports import Insert, Row, Value
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from shared.storage.subscription_records import digest
from shared.storage.subscriptions import RowSubscriptionStore
from tests.contract.cutting import CuttingRows, Scissors
from tests.contract.stores import KEY_ENCRYPTION_KEY, instance, new_id
from tests.contract.subscribing import EVERYTHING, KEYS, LATER, NOW, created, indexed, opens


@pytest.mark.parametrize("settings", [SubscriptionSettings(), EVERYTHING], ids=["defaults", "everything set"])
def test_what_was_created_is_read_again(storage: Storage, settings: SubscriptionSettings) -> None:
    _, subscription_id = created(storage, settings)
    found = instance(storage).subscriptions.get(subscription_id)
    assert found == Subscription(subscription_id, settings=settings)
    assert (found.created_at, found.deleted_at) == (NOW, None)


def test_a_row_from_before_a_setting_came_has_its_default(storage: Storage) -> None:
    subscription_id = new_id()
    stored: dict[str, Value] = {"state": "active", "primary_sha256": digest("first key"), "max_candidates": 7}
    storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [Insert(f"subscription:{subscription_id}", stored)])
    store = instance(storage).subscriptions
    assert store.get(subscription_id).settings == SubscriptionSettings(max_candidates=7)
    changed = store.change(subscription_id, SettingsChange(require_consent=True))
    assert changed.settings == SubscriptionSettings(max_candidates=7, require_consent=True)


def test_an_id_is_created_once(storage: Storage) -> None:
    store, subscription_id = created(storage, EVERYTHING)
    with pytest.raises(SubscriptionExists):
        store.create(Subscription(subscription_id), {KeySlot.PRIMARY: "a third key"})
    assert store.get(subscription_id).settings == EVERYTHING
    assert not opens(store, "a third key")
    assert not indexed(storage, "a third key")


def test_the_first_of_many_creations_wins_and_its_keys_open(storage: Storage) -> None:
    subscription_id = new_id()

    def create(number: int) -> int | None:
        try:
            instance(storage).subscriptions.create(
                Subscription(subscription_id), {KeySlot.PRIMARY: f"key of creator {number}"}
            )
        except SubscriptionExists:
            return None
        return number

    with ThreadPoolExecutor(4) as threads:
        winners = [number for number in threads.map(create, range(8)) if number is not None]
    assert len(winners) == 1
    store = instance(storage).subscriptions
    assert [number for number in range(8) if opens(store, f"key of creator {number}")] == winners


def test_a_change_is_seen_at_once_by_whoever_comes_with_a_key(storage: Storage) -> None:
    store, subscription_id = created(storage)
    store.by_key("first key")
    changed = store.change(subscription_id, SettingsChange(max_candidates=3, max_age_days=1.5))
    assert changed.settings == SubscriptionSettings(max_age_days=1.5, max_candidates=3)
    assert store.by_key("first key") == store.by_key("second key") == changed


def test_a_clock_and_a_list_can_be_taken_away_again(storage: Storage) -> None:
    store, subscription_id = created(storage, EVERYTHING)
    store.change(subscription_id, SettingsChange(max_idle_days=None, passphrases={"en-US": None}))
    expected = replace(EVERYTHING, max_idle_days=None, passphrases={})
    assert instance(storage).subscriptions.get(subscription_id).settings == expected


def test_changes_of_different_settings_at_once_all_count(storage: Storage) -> None:
    _, subscription_id = created(storage)
    changes = [
        SettingsChange(max_candidates=3),
        SettingsChange(max_profiles=4),
        SettingsChange(max_age_days=5.0),
        SettingsChange(verification_threshold=0.6),
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda change: instance(storage).subscriptions.change(subscription_id, change), changes))
    assert instance(storage).subscriptions.get(subscription_id).settings == SubscriptionSettings(
        max_age_days=5.0, verification_threshold=0.6, max_candidates=3, max_profiles=4
    )


def test_what_is_not_there_cannot_be_read_changed_or_deleted(storage: Storage) -> None:
    store = instance(storage).subscriptions
    for call in (
        lambda: store.get("nobody"),
        lambda: store.change("nobody", SettingsChange(max_profiles=1)),
        lambda: store.replace_key("nobody", KeySlot.PRIMARY, "a key"),
        lambda: store.begin_deletion("nobody", NOW, "request"),
    ):
        with pytest.raises(SubscriptionNotFound):
            call()
    assert store.all_ids() == []


def test_pages_go_through_all_in_the_order_of_ids(storage: Storage) -> None:
    store = instance(storage).subscriptions
    ids = ["A", "a", "a-b", "a1", "b"]
    for subscription_id in reversed(ids):
        store.create(Subscription(subscription_id, settings=EVERYTHING), {KeySlot.PRIMARY: f"key of {subscription_id}"})
    store.begin_deletion("a1", NOW, "request")
    pages = []
    after: str | None = None
    while page := store.page(after, 2):
        pages.append([(one.subscription_id, one.state.value) for one in page])
        after = page[-1].subscription_id
    assert pages == [
        [("A", "active"), ("a", "active")],
        [("a-b", "active"), ("a1", "deleting")],
        [("b", "active")],
    ]


def test_deletion_closes_it_and_destroys_its_data_key_in_one(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_id()
    stores.subscriptions.create(Subscription(subscription_id, created_at=NOW), KEYS)
    stores.data_keys.of(subscription_id)
    assert opens(stores.subscriptions, "first key")
    deleting = stores.subscriptions.begin_deletion(subscription_id, LATER, "the request")
    assert deleting.state is SubscriptionState.DELETING
    assert (deleting.created_at, deleting.deleted_at) == (NOW, LATER)
    for key in KEYS.values():
        assert not opens(stores.subscriptions, key), "at once on this instance"
    assert storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, data_key_row(subscription_id)) is None
    with pytest.raises(SubscriptionUnknown):
        stores.data_keys.of(subscription_id)


def test_deletion_again_changes_nothing(storage: Storage) -> None:
    store, subscription_id = created(storage)
    store.begin_deletion(subscription_id, NOW, "the first")
    rows = list(storage.subscriptions.query(SUBSCRIPTIONS_PARTITION, " ", "~"))
    again = store.begin_deletion(subscription_id, LATER, "the second")
    assert (again.state, again.deleted_at) == (SubscriptionState.DELETING, NOW)
    assert list(storage.subscriptions.query(SUBSCRIPTIONS_PARTITION, " ", "~")) == rows


def test_what_is_being_deleted_is_not_changed_or_revived(storage: Storage) -> None:
    store, subscription_id = created(storage)
    store.begin_deletion(subscription_id, NOW, "request")
    for call in (
        lambda: store.change(subscription_id, SettingsChange(max_profiles=1)),
        lambda: store.replace_key(subscription_id, KeySlot.PRIMARY, "new key"),
    ):
        with pytest.raises(SubscriptionNotActive):
            call()
    with pytest.raises(SubscriptionExists):
        store.create(Subscription(subscription_id), {KeySlot.PRIMARY: "new key"})
    assert not opens(store, "new key")


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
    store = RowSubscriptionStore(rows, storage.keys, data_keys)
    rows.meanwhile = lambda: store.begin_deletion(subscription_id, NOW, "request")
    assert opens(store, "first key"), "this one was let in before"
    assert not opens(store, "first key")
