"""A deleted subscription: everything of it goes, in slices, whatever cuts in, and a record stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from shared.domain.audit import Actor, AuditAction, AuditEntry, via_key
from shared.domain.consent import Consent, ConsentRecord
from shared.domain.erasure import ErasedCounts, Erasure
from shared.domain.errors import ProfileBusy, ProfileNotFound, StorageUnavailable, SubscriptionUnknown
from shared.domain.operation import Operation, OperationFailed, operation_id
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.subscription import KeySlot, Subscription, SubscriptionSettings, SubscriptionState
from shared.storage.backend.ports import MAX_CHANGES, Insert
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, enrollment_row, profile_row, subscription_row
from shared.storage.profiles.schedule import SETTLED, upload_due
from shared.storage.stores import Storage, Stores
from shared.storage.subscription_records import creation_values
from tests.contract.cutting import Failure, ProcessDied, Scissors, T, cuts
from tests.contract.stores import NOW, cutting, enroll, everything, instance, new_id, new_profile

ACTOR = Actor(via_key("primary"), "request")
MINUTE = timedelta(minutes=1)
COUNTS = ErasedCounts(profiles=3, enrollments=4, recordings=2, operations=1)
"""Of ``filled``."""


def filled(storage: Storage) -> tuple[Stores, str]:
    """A subscription with a profile of each kind, enrollments, recordings, an operation, a trail and three keys."""
    stores = instance(storage)
    subscription_id = new_id()
    settings = SubscriptionSettings(max_age_days=30.0, passphrases={"en-US": ("open the door to the garden",)})
    new = Subscription(subscription_id, settings=settings, created_at=NOW)
    stores.subscriptions.create(new, {slot: new_id() for slot in KeySlot})
    stores.subscriptions.replace_key(subscription_id, KeySlot.PRIMARY, new_id())
    for kind in ProfileKind:
        profile = stores.profiles.create(new_profile(subscription_id, kind), 10)
        stores.profiles.annotate(replace(profile, consent=Consent(ConsentRecord("s", NOW))))
        enroll(stores, profile.key, audio=b"fLaC" if kind.keeps_audio else None)
        if kind.keeps_audio:
            enroll(stores, profile.key, audio=b"fLaC")
            stores.trail.record(AuditEntry(subscription_id, new_id(), NOW, ACTOR, AuditAction.ENROLL))
    stores.operations.put(Operation(subscription_id, operation_id(NOW, new_id()), NOW, NOW, OperationFailed("x")))
    return stores, subscription_id


def deleting(storage: Storage) -> tuple[Stores, str]:
    stores, subscription_id = filled(storage)
    stores.subscriptions.begin_deletion(subscription_id, NOW, "request")
    return stores, subscription_id


def sweep(stores: Stores, subscription_id: str, at: datetime, limit: int = 1_000) -> int:
    return stores.eraser.sweep(stores.subscriptions.get(subscription_id), at, limit)


def erasure_of(stores: Stores, subscription_id: str) -> Erasure:
    erasure = stores.subscriptions.get(subscription_id).erasure
    assert erasure is not None
    return erasure


def rows_of(storage: Storage, subscription_id: str) -> dict[str, object]:
    """Everything that names the subscription, but for its own row."""
    keys = {
        row.key: dict(row.values)
        for first in range(256)
        for row in storage.keys.query(f"{first:02x}", " ", "~")
        if row.values["subscription_id"] == subscription_id
    }
    trail = {row.key: dict(row.values) for row in storage.audit.query(subscription_id, " ", "~")}
    data_key = storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, f"datakey:{subscription_id}")
    return {**everything(storage, subscription_id), **keys, **trail, **({"datakey": ""} if data_key else {})}


def test_everything_goes_and_the_record_says_what(storage: Storage) -> None:
    stores, subscription_id = filled(storage)
    _, neighbour = filled(storage)
    untouched = rows_of(storage, neighbour)
    stores.subscriptions.begin_deletion(subscription_id, NOW, "request")
    assert sweep(stores, subscription_id, NOW + MINUTE) > 0
    assert rows_of(storage, subscription_id) == {}
    left = stores.subscriptions.get(subscription_id)
    assert (left.state, left.deleted_at) == (SubscriptionState.DELETED, NOW)
    assert left.erasure == Erasure(COUNTS, completed_at=NOW + MINUTE)
    assert rows_of(storage, neighbour) == untouched


def test_what_is_left_of_the_row_is_ids_times_and_counts(storage: Storage) -> None:
    stores, subscription_id = deleting(storage)
    for at in (NOW, NOW + SETTLED):
        sweep(stores, subscription_id, at)
    row = storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(subscription_id))
    assert row is not None
    default = creation_values(Subscription(subscription_id, SubscriptionState.DELETED, created_at=NOW), {})
    assert dict(row.values) == {
        **default,
        "deleted_at": NOW,
        "deleted_by_request": "request",
        "erased_at": NOW,
        "verified_at": NOW + SETTLED,
        "erased_profiles": 3,
        "erased_enrollments": 4,
        "erased_recordings": 2,
        "erased_operations": 1,
    }


def test_no_instance_can_unwrap_the_data_key_and_it_is_verified_only_when_nothing_can_come_any_more(
    storage: Storage,
) -> None:
    stores, subscription_id = deleting(storage)
    for each in (stores, instance(storage)):
        with pytest.raises(SubscriptionUnknown):
            each.data_keys.of(subscription_id)
    sweep(stores, subscription_id, NOW)
    for at, verified_at in ((NOW + SETTLED - MINUTE, None), (NOW + SETTLED, NOW + SETTLED)):
        assert sweep(stores, subscription_id, at) == 0
        assert erasure_of(stores, subscription_id) == Erasure(COUNTS, NOW, verified_at)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_small_slices_add_up_to_the_same(storage: Storage, limit: int) -> None:
    stores, subscription_id = deleting(storage)
    slices = 0
    while stores.subscriptions.get(subscription_id).state is SubscriptionState.DELETING:
        assert sweep(stores, subscription_id, NOW, limit) <= limit
        slices += 1
    assert slices > 1 or limit == 5
    assert rows_of(storage, subscription_id) == {}
    assert stores.subscriptions.get(subscription_id).erasure == Erasure(COUNTS, NOW)


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
def test_a_cut_at_any_call_is_finished_by_the_next_tick_with_the_same_counts(
    storage: Storage, technology: str, long_form: bool, failure: Failure
) -> None:
    for scissors in cuts(failure, step=1 if technology == "memory" else 7 if long_form else 21, least=8):
        stores, subscription_id = deleting(storage)
        attempt(instance(storage, scissors), subscription_id)
        for later in (NOW, NOW + SETTLED, NOW + SETTLED):
            sweep(stores, subscription_id, later)
        assert rows_of(storage, subscription_id) == {}
        erasure = erasure_of(stores, subscription_id)
        assert (erasure.counts, erasure.verified_at) == (COUNTS, NOW + SETTLED)


def attempt(stores: Stores, subscription_id: str) -> None:
    try:
        sweep(stores, subscription_id, NOW)
    except (ProcessDied, StorageUnavailable):
        return


def test_two_timers_at_once_count_once(storage: Storage, technology: str, long_form: bool) -> None:
    for interrupted_at in range(1, 40, 1 if technology == "memory" else 8 if long_form else 13):
        stores, subscription_id = deleting(storage)

        def other_timer(one: str = subscription_id, other: Stores = instance(storage)) -> None:  # noqa: B008
            sweep(other, one, NOW)

        scissors = Scissors(interrupt_at=interrupted_at, before_call=other_timer)
        sweep(instance(storage, scissors), subscription_id, NOW)
        sweep(stores, subscription_id, NOW + SETTLED)
        assert rows_of(storage, subscription_id) == {}
        erasure = erasure_of(stores, subscription_id)
        assert erasure.counts == COUNTS
        if len(scissors.calls) < interrupted_at:
            return


def test_an_enrollment_on_its_way_elsewhere_leaves_nothing(storage: Storage, technology: str) -> None:
    """The other instance has looked the key up, unwrapped the data key, and is cut in half at every one of its calls by
    the whole deletion."""
    for interrupted_at in range(1, 12, 1 if technology == "memory" else 3):
        stores, subscription_id = filled(storage)
        key = stores.profiles.create(new_profile(subscription_id), 10).key

        def deletion(one: str = subscription_id, at: Stores = stores) -> None:
            at.subscriptions.begin_deletion(one, NOW, "request")
            sweep(at, one, NOW)

        scissors = Scissors(interrupt_at=interrupted_at, before_call=deletion)
        busy = instance(storage, scissors)
        assert busy.data_keys.of(subscription_id) != b""
        finished = enrolls(busy, key)
        assert not (finished and len(scissors.calls) >= interrupted_at)
        if finished:
            return
        for at in (NOW + MINUTE, NOW + SETTLED, NOW + SETTLED):
            sweep(stores, subscription_id, at)
        assert rows_of(storage, subscription_id) == {}
        erasure = erasure_of(stores, subscription_id)
        assert erasure.verified_at == NOW + SETTLED
        assert erasure.counts == replace(COUNTS, profiles=4)
    pytest.fail("the enrollment was never finished")


def enrolls(stores: Stores, key: ProfileKey) -> bool:
    try:
        enroll(stores, key)
    except (ProfileNotFound, ProfileBusy):
        return False
    return True


def test_what_was_written_late_is_erased_and_counted_before_it_is_verified(storage: Storage) -> None:
    stores, subscription_id = filled(storage)
    stale = instance(storage)
    stores.subscriptions.begin_deletion(subscription_id, NOW, "request")
    sweep(stores, subscription_id, NOW)
    late = new_profile(subscription_id)
    storage.voices.apply(subscription_id, [upload_due(NOW, new_id(), f"{subscription_id}/tii/p/000000/e.flac")])
    storage.audio.put(f"{subscription_id}/tii/p/000000/e.flac", b"sealed")
    stale.operations.put(Operation(subscription_id, operation_id(NOW, new_id()), NOW, NOW, OperationFailed("x")))
    stale.profiles.create(late, 10)
    for at in (NOW + SETTLED, NOW + SETTLED + MINUTE):
        sweep(stores, subscription_id, at)
    assert rows_of(storage, subscription_id) == {}
    counts = replace(COUNTS, profiles=4, operations=2)
    erasure = Erasure(counts, completed_at=NOW + SETTLED, verified_at=NOW + SETTLED + MINUTE)
    assert stores.subscriptions.get(subscription_id).erasure == erasure


def test_an_empty_subscription_is_erased_too(stores: Stores) -> None:
    subscription_id = new_id()
    stores.subscriptions.create(Subscription(subscription_id), {})
    stores.subscriptions.begin_deletion(subscription_id, NOW, "request")
    assert sweep(stores, subscription_id, NOW) == 0
    assert stores.subscriptions.get(subscription_id).erasure == Erasure(ErasedCounts(), NOW)


@dataclass
class Throttle(Scissors):
    """Storage that is busy for every 23rd call, and every second time has done it all the same."""

    def run(self, name: str, call: Callable[[], T]) -> T:
        self.calls.append(name)
        if len(self.calls) % 23:
            return call()
        if len(self.calls) % 46 == 0:
            call()
        raise StorageUnavailable


def test_a_purge_of_more_profiles_than_a_page_ends_with_exact_counts_though_storage_is_busy() -> None:
    quiet = Storage.in_memory()
    busy = cutting(quiet, Throttle())
    stores, subscription_id = filled(quiet)
    keys = [new_profile(subscription_id).key for _ in range(1_234)]
    for start in range(0, len(keys), MAX_CHANGES // 2):
        some = keys[start : start + MAX_CHANGES // 2]
        rows = [Insert(key, {}) for one in some for key in (profile_row(one), enrollment_row(one, 0, 1))]
        quiet.voices.apply(subscription_id, rows)
    stores.subscriptions.begin_deletion(subscription_id, NOW, "request")
    given_up = 0
    for _ in range(100):
        try:
            sweep(instance(busy), subscription_id, NOW + SETTLED)
        except StorageUnavailable:
            given_up += 1
        erasure = stores.subscriptions.get(subscription_id).erasure
        if erasure and erasure.verified_at:
            break
    assert given_up > 0
    assert erasure is not None
    counts = replace(COUNTS, profiles=COUNTS.profiles + len(keys), enrollments=COUNTS.enrollments + len(keys))
    assert (erasure.counts, erasure.verified_at) == (counts, NOW + SETTLED)
    assert rows_of(quiet, subscription_id) == {}
