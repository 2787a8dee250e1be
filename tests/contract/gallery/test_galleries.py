"""A gallery answers as the rows would, whoever changed them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import StorageUnavailable
from shared.domain.profile import ProfileKey, ProfileKind, RetentionOverride
from shared.domain.subscription import SettingsChange
from shared.storage.backend.ports import Merge
from shared.storage.gallery.galleries import RECHECK_SECONDS
from shared.storage.layout import profile_row
from shared.storage.stores import Storage, Stores
from tests.contract.comparing import assert_same, from_the_rows, new_speaker, scores
from tests.contract.cutting import Failure, Scissors
from tests.contract.expiring import keeping
from tests.contract.stores import NOW, Clock, enroll, instance, new_id, new_profile, new_subscription


def test_other_subscriptions_and_kinds_are_not_in_it(stores: Stores) -> None:
    mine, yours = new_subscription(stores), new_subscription(stores)
    new_speaker(stores, yours)
    other = stores.profiles.create(new_profile(mine, ProfileKind.TEXT_INDEPENDENT_VERIFICATION), 10)
    enroll(stores, other.key)
    assert scores(stores, mine) == {}


def test_a_change_on_another_instance_is_seen(storage: Storage) -> None:
    here, there = instance(storage), instance(storage)
    subscription_id = new_subscription(here)
    kept, reset, gone = (new_speaker(here, subscription_id, seed) for seed in range(3))
    assert len(scores(there, subscription_id)) == 3
    enroll(here, kept, 7)
    here.profiles.reset(reset, NOW)
    here.profiles.delete(gone, NOW)
    new = new_speaker(here, subscription_id, 8)
    found = scores(there, subscription_id)
    assert found.keys() == {kept.profile_id, new.profile_id}
    assert_same(found, from_the_rows(here, subscription_id))


def test_a_write_that_takes_long_is_seen_when_it_is_done(storage: Storage) -> None:
    """Others change and the reader reads while one enroll stands right before its transaction."""
    reader = instance(storage)
    subscription_id = new_subscription(reader)
    slow = reader.profiles.create(new_profile(subscription_id), 10).key

    def meanwhile() -> None:
        for seed in range(3):
            new_speaker(reader, subscription_id, seed)
        assert len(scores(reader, subscription_id)) == 3

    counting = Scissors()
    enroll_through(instance(storage, counting), storage, slow)
    reader.profiles.reset(slow, NOW)
    before_commit = len(counting.calls)
    enroll_through(instance(storage, Scissors(interrupt_at=before_commit, before_call=meanwhile)), storage, slow)
    assert slow.profile_id in scores(reader, subscription_id)


def enroll_through(writer: Stores, storage: Storage, key: ProfileKey) -> None:
    assert storage.voices.get(key.subscription_id, profile_row(key)) is not None
    enroll(writer, key, 9, audio=None)


def test_nothing_changed_is_one_small_read_and_one_change_a_query_and_one_read_more(storage: Storage) -> None:
    scissors = Scissors()
    here, stores = instance(storage), instance(storage, scissors)
    subscription_id = new_subscription(here)
    new_speaker(here, subscription_id)
    scores(stores, subscription_id)
    before = len(scissors.calls)
    scores(stores, subscription_id)
    new_speaker(here, subscription_id)
    assert len(scores(stores, subscription_id)) == 2
    assert scissors.calls[before:] == ["get", "get", "query", "get"]


def test_an_expired_speaker_is_no_candidate_from_the_second_on(stores: Stores, clock: Clock) -> None:
    subscription_id = keeping(stores, age=1.0)
    key = new_speaker(stores, subscription_id)
    clock.now = NOW + timedelta(days=1) - timedelta(seconds=1)
    assert scores(stores, subscription_id).keys() == {key.profile_id}
    clock.now = NOW + timedelta(days=1)
    assert scores(stores, subscription_id) == {}


def test_a_use_on_another_instance_keeps_a_speaker(stores: Stores, clock: Clock, storage: Storage) -> None:
    """A use writes no change: the gallery looks again before it leaves somebody out."""
    subscription_id = keeping(stores, idle=1.0)
    key = new_speaker(stores, subscription_id)
    scores(stores, subscription_id)
    instance(storage).profiles.touch(key, NOW + timedelta(hours=23))
    clock.now = NOW + timedelta(days=1)
    assert scores(stores, subscription_id).keys() == {key.profile_id}


def test_who_is_over_is_not_read_at_every_identify(storage: Storage, clock: Clock) -> None:
    scissors = Scissors()
    stores = instance(storage, scissors, clock)
    subscription_id = keeping(instance(storage), idle=1.0)
    new_speaker(instance(storage), subscription_id)
    clock.now = NOW + timedelta(days=1)
    assert scores(stores, subscription_id) == {}
    scissors.calls.clear()
    assert scores(stores, subscription_id) == {}
    assert scissors.calls == ["get"]
    assert RECHECK_SECONDS <= 60


def test_a_new_policy_and_a_retention_of_its_own_count(stores: Stores, clock: Clock) -> None:
    subscription_id = keeping(stores)
    kept, other = new_speaker(stores, subscription_id, 1), new_speaker(stores, subscription_id, 2)
    stores.profiles.annotate(replace(stores.profiles.get(kept), retention=RetentionOverride(max_age_days=None)))
    assert len(scores(stores, subscription_id)) == 2
    stores.subscriptions.change(subscription_id, SettingsChange(max_age_days=1.0))
    clock.now = NOW + timedelta(days=3)
    assert scores(stores, subscription_id).keys() == {kept.profile_id}
    stores.subscriptions.change(subscription_id, SettingsChange(max_age_days=5.0))
    assert scores(stores, subscription_id).keys() == {kept.profile_id, other.profile_id}


def test_a_broken_seal_is_no_candidate_and_an_alarm(
    stores: Stores, subscription_id: str, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = new_speaker(stores, subscription_id, 1), new_speaker(stores, subscription_id, 2)
    row = storage.voices.get(subscription_id, profile_row(broken))
    assert row is not None
    sealed = bytes(row.values["signature"])  # type: ignore[arg-type]
    storage.voices.apply(subscription_id, [Merge(row.key, {"signature": sealed[:-1] + bytes([sealed[-1] ^ 1])})])
    assert scores(stores, subscription_id).keys() == {whole.profile_id}
    assert f"seal_broken subscription={subscription_id}" in caplog.text


def test_only_those_asked_for_are_candidates(stores: Stores, subscription_id: str) -> None:
    keys = [new_speaker(stores, subscription_id, seed) for seed in range(9)]
    for some in ({keys[3].profile_id}, {one.profile_id for one in keys[:8]}):
        found = scores(stores, subscription_id, only={*some, new_id()})
        assert found.keys() == some
        everybody = scores(stores, subscription_id)
        assert_same(found, {one: everybody[one] for one in some})


def test_a_storage_that_fails_leaves_a_gallery_that_catches_up(storage: Storage) -> None:
    here = instance(storage)
    subscription_id = new_subscription(here)
    gone, kept = new_speaker(here, subscription_id, 1), new_speaker(here, subscription_id, 2)
    scissors = Scissors(failure=Failure.REFUSED)
    there = instance(storage, scissors)
    scores(there, subscription_id)
    here.profiles.delete(gone, NOW)
    for call in (1, 2):  # the query, the read
        scissors.at = len(scissors.calls) + call
        with pytest.raises(StorageUnavailable):
            there.galleries.up_to_date(subscription_id)
    assert scores(there, subscription_id).keys() == {kept.profile_id}


def test_the_gallery_unused_for_longest_makes_room(stores: Stores, storage: Storage) -> None:
    subscriptions = [new_subscription(stores) for _ in range(3)]
    for one in subscriptions:
        new_speaker(stores, one)
    galleries = instance(storage, gallery_bytes=1).galleries
    for one in subscriptions:
        galleries.up_to_date(one)
    alone = instance(storage, gallery_bytes=1).galleries
    alone.up_to_date(subscriptions[-1])
    assert galleries.bytes_held == alone.bytes_held > 0
    roomy = instance(storage).galleries
    for one in subscriptions:
        roomy.up_to_date(one)
    assert roomy.bytes_held > 2 * alone.bytes_held


def test_a_gallery_that_nobody_uses_is_given_up_by_itself(stores: Stores, storage: Storage) -> None:
    subscriptions = [new_subscription(stores) for _ in range(2)]
    for one in subscriptions:
        new_speaker(stores, one)
    galleries = instance(storage).galleries
    galleries._idle_seconds = 0.2
    assert all(galleries.up_to_date(one).gallery.bytes_held > 0 for one in subscriptions)
    deadline = time.monotonic() + 30
    while galleries.bytes_held and time.monotonic() < deadline:
        time.sleep(0.05)
    assert galleries.bytes_held == 0
    assert galleries.up_to_date(subscriptions[0]).gallery.bytes_held > 0, "and is loaded anew when it is needed"


def test_many_requests_at_once_see_every_change(stores: Stores, subscription_id: str, storage: Storage) -> None:
    """Those who wait for one another share a query: never one that began before they asked."""
    writers = [instance(storage) for _ in range(3)]

    def enroll_and_look(writer: Stores) -> None:
        for seed in range(4):
            key = new_speaker(writer, subscription_id, seed)
            assert key.profile_id in scores(stores, subscription_id)
            writer.profiles.delete(key, NOW)
            assert key.profile_id not in scores(stores, subscription_id)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(enroll_and_look, writers))
    assert scores(stores, subscription_id) == {}
