"""Subscriptions and the keys that open them, on every technology."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.access import AccessKey, Role
from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.errors import (
    KeyNotFound,
    StorageUnavailable,
    SubscriptionExists,
    SubscriptionNotActive,
    SubscriptionNotFound,
    SubscriptionUnknown,
    TooManyKeys,
)
from shared.domain.limits import QualityLimits
from shared.domain.subscription import (
    DetailsShown,
    KeySlot,
    ReplayAction,
    SettingsChange,
    Subscription,
    SubscriptionSettings,
    SubscriptionState,
)
from shared.storage.backend.ports import Insert, Merge, Row, Value
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row, key_row, subscription_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from shared.storage.subscription_records import digest
from shared.storage.subscriptions import LOOK_UP_SECONDS, RowSubscriptionStore
from tests.contract.cutting import CuttingRows, Failure, ProcessDied, Scissors, cuts
from tests.contract.stores import KEY_ENCRYPTION_KEY, Clock, instance, new_id

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)
LATER = datetime(2026, 11, 23, tzinfo=UTC)
KEYS = {KeySlot.PRIMARY: "first key", KeySlot.SECONDARY: "second key"}
EVERYTHING = SubscriptionSettings(
    max_age_days=30.5, max_idle_days=7.0, verification_threshold=0.625, identification_threshold=0.75,
    max_candidates=7, max_profiles=9, passphrases={"en-US": ("open the door to the garden",)}, require_consent=True,
    keep_identification_audio=False, audit_days=90.0, requests_per_second=2.5, quality=QualityLimits(min_snr_db=12.0),
    enrollment_cohesion=False, lock_settings=True, min_verification_threshold=0.25,
    min_identification_threshold=0.125, min_retention_days=0.5, details=DetailsShown.OFF,
    require_challenge=True, replay_action=ReplayAction.REFUSE, replay_days=7.0,
    calibration=SiteCalibration("m", Calibration(-30.0, 44.0, -2.0, -1.0, 0.0, 0.01, 1.0, 12.0, "calls", 40, 1_000)),
)  # fmt: skip


def created(storage: Storage, settings: SubscriptionSettings | None = None) -> tuple[RowSubscriptionStore, str]:
    store, subscription_id = instance(storage).subscriptions, new_id()
    settings = settings or SubscriptionSettings()
    store.create(Subscription(subscription_id, settings=settings, created_at=NOW), KEYS)
    return store, subscription_id


def cut_store(
    storage: Storage,
    scissors: Scissors,
    now: Callable[[], float] = lambda: 0.0,
    rows: type[CuttingRows] = CuttingRows,
) -> RowSubscriptionStore:
    """Calls of which go through the scissors."""
    data_keys = DataKeys(storage.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
    keys = CuttingRows(storage.keys, scissors)
    return RowSubscriptionStore(rows(storage.subscriptions, scissors), keys, data_keys, Clock(), monotonic=now)


def opens(store: RowSubscriptionStore, *keys: str) -> list[str]:
    """Those of the keys that do."""
    opening = []
    for key in keys:
        with suppress(SubscriptionUnknown):
            store.by_key(key)
            opening.append(key)
    return opening


def indexed(storage: Storage, *keys: str) -> list[str]:
    return [key for key in keys if storage.keys.get(*key_row(digest(key))) is not None]


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
        store.by_key("old")
    assert store.by_key("new").subscription_id == subscription_id


def test_ensure_again_changes_nothing_and_keeps_the_data_key(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_id()
    keys = {KeySlot.PRIMARY: "key"}
    first = stores.subscriptions.ensure(subscription_id, keys)
    rows = rows_of(storage)
    data_key = stores.data_keys.of(subscription_id)
    assert instance(storage).subscriptions.ensure(subscription_id, keys) == first
    assert rows_of(storage) == rows
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


def test_an_id_is_created_once(storage: Storage) -> None:
    store, subscription_id = created(storage, EVERYTHING)
    with pytest.raises(SubscriptionExists):
        store.create(Subscription(subscription_id), {KeySlot.PRIMARY: "a third key"})
    assert store.get(subscription_id).settings == EVERYTHING
    assert opens(store, "a third key") == indexed(storage, "a third key") == []


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
        store.by_key("key")
    store.ensure(new_id(), {KeySlot.PRIMARY: "key"})
    store.by_key("key")


def test_a_change_is_seen_at_once_by_whoever_comes_with_a_key(storage: Storage) -> None:
    store, subscription_id = created(storage)
    store.by_key("first key")
    changed = store.change(subscription_id, SettingsChange(max_candidates=3, max_age_days=1.5))
    assert changed.settings == SubscriptionSettings(max_age_days=1.5, max_candidates=3)
    assert store.by_key("first key") == store.by_key("second key") == changed


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


def test_deletion_closes_it_and_destroys_its_data_key_in_one(storage: Storage) -> None:
    stores = instance(storage)
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


def test_deletion_again_changes_nothing(storage: Storage) -> None:
    store, subscription_id = created(storage)
    store.begin_deletion(subscription_id, NOW, "the first")
    rows = rows_of(storage)
    again = store.begin_deletion(subscription_id, LATER, "the second")
    assert (again.state, again.deleted_at) == (SubscriptionState.DELETING, NOW)
    assert rows_of(storage) == rows


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

    with ThreadPoolExecutor(3) as threads:
        new = [number for number, is_new in enumerate(threads.map(put, range(3))) if is_new]
    assert len(new) == 1
    keys = [f"key {number}" for number in range(3)]
    assert opens(instance(storage).subscriptions, *keys) == indexed(storage, *keys) == [f"key {new[0]}"]


NAMED_CHANGES: dict[str, Callable[[RowSubscriptionStore, str], object]] = {
    "put": lambda store, owner: store.put_key(owner, replace(KIOSK, name="another"), "new key", 20),
    "replace": lambda store, owner: store.replace_key(owner, "kiosk", "new key", NOW),
    "remove": lambda store, owner: store.remove_key(owner, "kiosk"),
}


@pytest.mark.parametrize("failure", list(Failure))
@pytest.mark.parametrize("change", list(NAMED_CHANGES))
def test_a_change_of_a_named_key_that_is_cut_off_leaves_nothing_untold(
    storage: Storage, step: int, change: str, failure: Failure
) -> None:
    """At every call: what opens is what the row says, and the erasure finds every index row."""
    for scissors in cuts(failure, step=step):
        store, subscription_id = created(storage)
        store.put_key(subscription_id, KIOSK, "kiosk's key", 20)
        with suppress(ProcessDied, StorageUnavailable):
            NAMED_CHANGES[change](cut_store(storage, scissors), subscription_id)
        store = instance(storage).subscriptions
        names = {key.name for key in store.keys(subscription_id)}
        opening = opens(store, *KEYS.values(), "kiosk's key", "new key")
        assert len(opening) == len(names)
        assert opening[:2] == list(KEYS.values())
        NAMED_CHANGES[change](store, subscription_id)
        store.begin_deletion(subscription_id, NOW, "request")
        store.remove_keys(subscription_id)
        assert indexed(storage, *KEYS.values(), "kiosk's key", "new key") == [], f"call {scissors.at}"


@pytest.mark.parametrize("failure", list(Failure))
def test_a_regeneration_that_is_cut_off_locks_nobody_out_and_leaves_nothing_untold(
    storage: Storage, step: int, failure: Failure
) -> None:
    """At every call: either key of the slot opens, the other slot's does, and the erasure finds every index row."""
    for scissors in cuts(failure, step=step):
        _, subscription_id = created(storage)
        with suppress(ProcessDied, StorageUnavailable):
            cut_store(storage, scissors).replace_key(subscription_id, KeySlot.PRIMARY, "new key")
        store = instance(storage).subscriptions
        assert opens(store, "second key", "first key", "new key") in (
            ["second key", "first key"],
            ["second key", "new key"],
        )
        store.replace_key(subscription_id, KeySlot.PRIMARY, "newest key")
        assert opens(store, "newest key")
        store.begin_deletion(subscription_id, NOW, "request")
        store.remove_keys(subscription_id)
        assert indexed(storage, *KEYS.values(), "new key", "newest key") == [], f"call {scissors.at}"


@pytest.mark.parametrize("failure", list(Failure))
def test_a_creation_that_is_cut_off_can_be_given_keys(storage: Storage, step: int, failure: Failure) -> None:
    new = {slot: f"new {slot.value}" for slot in KeySlot}
    for scissors in cuts(failure, step=step):
        subscription_id = new_id()
        with suppress(ProcessDied, StorageUnavailable):
            cut_store(storage, scissors).create(Subscription(subscription_id), KEYS)
        store = instance(storage).subscriptions
        try:
            store.create(Subscription(subscription_id), {})
        except SubscriptionExists:
            for slot, key in new.items():
                store.replace_key(subscription_id, slot, key)
            assert opens(store, *new.values()) == list(new.values())
        store.begin_deletion(subscription_id, NOW, "request")
        store.remove_keys(subscription_id)
        assert indexed(storage, *KEYS.values(), *new.values()) == [], f"call {scissors.at}"


def test_only_its_own_rows_leave_the_index(storage: Storage) -> None:
    store, subscription_id = created(storage)
    other = new_id()
    store.create(Subscription(other), {KeySlot.PRIMARY: "key of the other"})
    store.begin_deletion(subscription_id, NOW, "request")
    store.remove_keys(subscription_id)
    assert indexed(storage, *KEYS.values()) == []
    assert store.by_key("key of the other").subscription_id == other
    store.remove_keys(subscription_id)
