"""Subscriptions, their settings and their end, on every technology."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.domain.access import AccessKey
from shared.domain.errors import (
    SubscriptionExists,
    SubscriptionNotActive,
    SubscriptionNotFound,
    SubscriptionUnknown,
)
from shared.domain.subscription import (
    KeySlot,
    SettingsChange,
    Subscription,
    SubscriptionSettings,
    SubscriptionState,
)
from shared.storage.backend.ports import Insert, Merge, Row, Value
from shared.storage.key_index import digest
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row, subscription_row
from shared.storage.stores import Storage, Stores
from tests.contract.opening import EVERYTHING, KEYS, LATER, NOW, created, indexed, opens
from tests.contract.stores import at_once, instance, new_id


def rows_of(storage: Storage) -> list[Row]:
    return list(storage.subscriptions.query(SUBSCRIPTIONS_PARTITION, " ", "~"))


@pytest.mark.parametrize("settings", [SubscriptionSettings(), EVERYTHING], ids=["defaults", "everything set"])
def test_what_was_created_is_read_again(storage: Storage, settings: SubscriptionSettings) -> None:
    _, subscription_id = created(storage, settings)
    store = instance(storage).subscriptions
    read = store.get(subscription_id)
    assert read == Subscription(subscription_id, settings=settings)
    assert (read.created_at, read.deleted_at) == (NOW, None)
    assert store.opened_by("first key") == (read, AccessKey("primary", settings.classic_role))
    assert store.opened_by("second key") == (read, AccessKey("secondary", settings.classic_role))


def test_a_row_has_the_cells_that_it_always_had(storage: Storage) -> None:
    """Also of earlier versions: what is not set has no cell, and what a row does not have is at its default."""
    store, subscription_id = created(storage, EVERYTHING)
    row = storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(subscription_id))
    assert row is not None
    cells: dict[str, Value] = {
        "state": "active", "created_at": NOW, "primary_sha256": digest("first key"),
        "secondary_sha256": digest("second key"), "max_age_days": 30.5, "max_idle_days": 7.0,
        "verification_threshold": 0.625, "identification_threshold": 0.75, "max_candidates": 7, "max_profiles": 9,
        "passphrases": '{"en-US": ["open the door to the garden"]}', "require_consent": True,
        "keep_identification_audio": False, "audit_days": 90.0, "requests_per_second": 2.5,
        "quality": '{"min_snr_db": 12.0}', "enrollment_cohesion": False, "lock_settings": True,
        "min_verification_threshold": 0.25, "min_identification_threshold": 0.125, "min_retention_days": 0.5,
        "details": "off", "require_challenge": True, "replay_action": "refuse", "replay_days": 7.0,
    }  # fmt: skip
    calibration = json.loads(str(row.values["calibration"]))
    assert {**row.values, "calibration": ""} == {**cells, "calibration": ""}
    assert calibration["model_id"] == "m"
    assert list(calibration["calibration"]) == [
        "bias", "cosine", "log_shorter", "log_longer", "threshold_logit", "false_match_rate", "min_seconds",
        "max_seconds", "fitted_on", "fitted_speakers", "fitted_trials", "measured",
    ]  # fmt: skip
    older = {**calibration, "calibration": {**calibration["calibration"], "narrow_shift": 0.1}}
    storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [Merge(row.key, {"calibration": json.dumps(older)})])
    assert store.get(subscription_id).settings == EVERYTHING
    store.change(subscription_id, SettingsChange(max_idle_days=None, passphrases={"en-US": None}))
    assert store.get(subscription_id).settings == replace(EVERYTHING, max_idle_days=None, passphrases={})


def test_a_row_from_before_a_setting_came_has_its_default(storage: Storage) -> None:
    subscription_id = new_id()
    stored: dict[str, Value] = {"state": "active", "primary_sha256": digest("first key"), "max_candidates": 7}
    storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [Insert(f"subscription:{subscription_id}", stored)])
    store = instance(storage).subscriptions
    assert store.get(subscription_id).settings == SubscriptionSettings(max_candidates=7)
    changed = store.change(subscription_id, SettingsChange(require_consent=True))
    assert changed.settings == SubscriptionSettings(max_candidates=7, require_consent=True)


def test_ensure_again_and_at_once_makes_one_subscription_and_keeps_its_data_key(storage: Storage) -> None:
    subscription_id, keys = new_id(), {KeySlot.PRIMARY: "key"}
    with ThreadPoolExecutor(4) as threads:
        made = threads.map(lambda _: instance(storage).subscriptions.ensure(subscription_id, keys), range(8))
        assert {one.subscription_id for one in made} == {subscription_id}
    rows, data_key = rows_of(storage), instance(storage).data_keys.of(subscription_id)
    assert instance(storage).subscriptions.ensure(subscription_id, keys) == Subscription(subscription_id)
    assert rows_of(storage) == rows
    assert instance(storage).subscriptions.all_ids() == [subscription_id]
    assert (instance(storage).data_keys.of(subscription_id), len(data_key)) == (data_key, 32)


def test_the_first_of_many_creations_wins_and_its_keys_open(storage: Storage) -> None:
    subscription_id = new_id()

    def create(number: int) -> None:
        new = Subscription(subscription_id, settings=SubscriptionSettings(max_candidates=number + 1))
        instance(storage).subscriptions.create(new, {KeySlot.PRIMARY: f"key of creator {number}"})

    winners = at_once(8, create, SubscriptionExists)
    store, keys = instance(storage).subscriptions, [f"key of creator {number}" for number in range(8)]
    assert len(winners) == 1
    assert opens(store, *keys) == indexed(storage, *keys) == [keys[winners[0]]]
    assert store.get(subscription_id).settings.max_candidates == winners[0] + 1


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
            store.opened_by(key)[0]
    assert store.all_ids() == [subscription_id]


def test_a_change_is_seen_at_once_by_whoever_comes_with_a_key(storage: Storage) -> None:
    store, subscription_id = created(storage)
    store.opened_by("first key")[0]
    changed = store.change(subscription_id, SettingsChange(max_candidates=3, max_age_days=1.5))
    assert changed.settings == SubscriptionSettings(max_age_days=1.5, max_candidates=3)
    assert store.opened_by("first key")[0] == store.opened_by("second key")[0] == changed


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
    assert store.all_ids() == ids
    assert pages == [
        [("A", "active"), ("a", "active")],
        [("a-b", "active"), ("a1", "deleting")],
        [("b", "active")],
    ]


def test_deletion_closes_it_and_destroys_its_data_key_in_one(stores: Stores, storage: Storage) -> None:
    subscription_id = new_id()
    stores.subscriptions.create(Subscription(subscription_id, created_at=NOW), KEYS)
    stores.data_keys.of(subscription_id)
    assert opens(stores.subscriptions, "first key")
    deleting = stores.subscriptions.begin_deletion(subscription_id, LATER, "the request")
    assert deleting.state is SubscriptionState.DELETING
    assert (deleting.created_at, deleting.deleted_at) == (NOW, LATER)
    assert opens(stores.subscriptions, *KEYS.values()) == [], "at once on this instance"
    assert storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, data_key_row(subscription_id)) is None
    with pytest.raises(SubscriptionUnknown):
        stores.data_keys.of(subscription_id)


def test_what_is_being_deleted_is_not_changed_revived_or_deleted_again(storage: Storage) -> None:
    store, subscription_id = created(storage)
    store.begin_deletion(subscription_id, NOW, "the first")
    rows = rows_of(storage)
    again = store.begin_deletion(subscription_id, LATER, "the second")
    assert (again.state, again.deleted_at) == (SubscriptionState.DELETING, NOW)
    for call in (
        lambda: store.change(subscription_id, SettingsChange(max_profiles=1)),
        lambda: store.replace_key(subscription_id, KeySlot.PRIMARY, "new key"),
    ):
        with pytest.raises(SubscriptionNotActive):
            call()
    with pytest.raises(SubscriptionExists):
        store.create(Subscription(subscription_id), {KeySlot.PRIMARY: "new key"})
    assert not opens(store, "new key")
    assert rows_of(storage) == rows
