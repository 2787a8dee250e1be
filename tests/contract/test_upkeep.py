"""Operations, and what the timer does about everything that is due, on every technology."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

import pytest

from shared.domain.decision import Confidence
from shared.domain.errors import OperationNotFound
from shared.domain.limits import OPERATION_HOURS, PENDING_UPLOAD_MINUTES
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation, OperationFailed, operation_id
from shared.domain.profile import EnrollmentStatus
from shared.storage.backend.ports import Insert, Remove
from shared.storage.layout import due_row, is_operation
from shared.storage.profiles.schedule import erase_due, upload_due
from shared.storage.profiles.sweep import POSTPONED
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Failure, ProcessDied, Scissors
from tests.contract.stores import NOW, enroll, everything, instance, keys_of, new_id, new_profile, new_subscription

OUTCOMES = [
    EnrollmentResult(EnrollmentStatus.ENROLLING, 7.93, 11.72, 18.28),
    IdentificationResult("7bd2514a-a19d-4404-95e1-a4488681245e", Confidence.HIGH),
    IdentificationResult(None, Confidence.LOW),
    OperationFailed("IncompleteEnrollment: more speech is needed"),
]


def new_operation(subscription_id: str, outcome: object = OUTCOMES[3], at: datetime = NOW) -> Operation:
    assert isinstance(outcome, EnrollmentResult | IdentificationResult | OperationFailed)
    return Operation(subscription_id, operation_id(at, new_id()), at, at + timedelta(milliseconds=250), outcome)


def results(storage: Storage, subscription_id: str) -> list[str]:
    """The ids of the operations that are stored."""
    rows = keys_of(everything(storage, subscription_id), "due:")
    return sorted(key.rpartition(":")[2] for key in rows if is_operation(key))


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_an_operation_is_read_back(storage: Storage, outcome: object) -> None:
    store = instance(storage).operations
    operation = new_operation(new_id(), outcome)
    store.put(operation)
    store.put(operation)
    assert store.get(operation.subscription_id, operation.operation_id, NOW) == operation


def test_an_operation_of_another_subscription_is_absent(storage: Storage) -> None:
    store = instance(storage).operations
    operation = new_operation(new_id())
    store.put(operation)
    for subscription_id, asked_for in (
        (new_id(), operation.operation_id),
        (operation.subscription_id, new_operation("another").operation_id),
        (operation.subscription_id, new_id()),
        (operation.subscription_id, "ffffffff-ffff-7fff-bfff-ffffffffffff"),
        (operation.subscription_id, "nothing"),
    ):
        with pytest.raises(OperationNotFound):
            store.get(subscription_id, asked_for, NOW)


def test_an_operation_expires_on_the_second_and_is_swept(stores: Stores, storage: Storage) -> None:
    operation = new_operation(new_id())
    kept = new_operation(operation.subscription_id, at=NOW + timedelta(hours=1))
    stores.operations.put(operation)
    stores.operations.put(kept)
    end = operation.expires_at
    assert timedelta() <= NOW + timedelta(hours=OPERATION_HOURS) - end < timedelta(milliseconds=1)
    just_before = end - timedelta(microseconds=1)
    assert stores.upkeep.sweep(operation.subscription_id, just_before, 10) == 0
    assert stores.operations.get(operation.subscription_id, operation.operation_id, just_before) == operation
    with pytest.raises(OperationNotFound):
        stores.operations.get(operation.subscription_id, operation.operation_id, end)
    assert stores.upkeep.sweep(operation.subscription_id, end, 10) == 1
    assert results(storage, operation.subscription_id) == [kept.operation_id]
    assert len(everything(storage, operation.subscription_id)) == 1


def test_the_upload_of_an_enrollment_that_died_is_deleted_when_its_time_is_over_and_not_before(
    stores: Stores, storage: Storage
) -> None:
    profile = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    before = everything(storage, profile.key.subscription_id)
    scissors = Scissors(at=4, failure=Failure.DIES_BEFORE)
    with pytest.raises(ProcessDied):
        enroll(instance(storage, scissors), profile.key)
    assert scissors.calls[-3:] == ["apply", "put", "get"]
    for at in (NOW, NOW + timedelta(minutes=PENDING_UPLOAD_MINUTES, microseconds=-1)):
        assert stores.upkeep.sweep(profile.key.subscription_id, at, 10) == 0
        assert len(list(storage.audio.names(f"{profile.key.subscription_id}/"))) == 1
    assert stores.upkeep.sweep(profile.key.subscription_id, NOW + timedelta(minutes=PENDING_UPLOAD_MINUTES), 10) == 1
    assert everything(storage, profile.key.subscription_id) == before


def test_an_upload_that_is_committed_while_the_timer_gives_it_up_keeps_its_blob(storage: Storage) -> None:
    subscription_id, blob = new_id(), "a/tii/b/000000/c.flac"
    upload = upload_due(NOW, "c", blob)
    storage.audio.put(blob, b"sealed")
    storage.voices.apply(subscription_id, [upload])
    committed = partial(storage.voices.apply, subscription_id, [Remove(upload.key)])
    scissors = Scissors(interrupt_at=2, before_call=committed)
    assert instance(storage, scissors).upkeep.sweep(subscription_id, NOW + timedelta(hours=1), 10) == 1
    assert storage.audio.get(blob) == b"sealed"


def test_a_sweep_takes_the_oldest_of_its_subscription_up_to_its_limit(stores: Stores, storage: Storage) -> None:
    subscription_id = new_id()
    operations = [new_operation(subscription_id, at=NOW - timedelta(minutes=minutes)) for minutes in range(5)]
    for operation in operations:
        stores.operations.put(operation)
    late = NOW + timedelta(days=2)
    assert stores.upkeep.sweep(new_id(), late, 10) == 0
    assert stores.upkeep.sweep(subscription_id, late, 3) == 3
    assert results(storage, subscription_id) == sorted(operation.operation_id for operation in operations[:2])
    assert [stores.upkeep.sweep(subscription_id, late, 3) for _ in range(2)] == [2, 0]


def test_an_item_that_fails_is_told_and_put_off_and_does_not_stop_the_others(
    stores: Stores, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    operation = new_operation(new_id())
    subscription_id = operation.subscription_id
    unknown = Insert(due_row(NOW, "unheard-of", "x"), {})
    malformed = Insert(due_row(NOW, "erase", "y"), {"kind": "tii"})
    storage.voices.apply(subscription_id, [unknown, malformed])
    stores.operations.put(operation)
    late = NOW + timedelta(days=2)
    with caplog.at_level(logging.ERROR):
        assert stores.upkeep.sweep(subscription_id, late, 10) == 3
    assert sorted(caplog.messages) == [
        f"upkeep_failed subscription={subscription_id} action=erase error=RowMalformed",
        f"upkeep_failed subscription={subscription_id} action=unheard-of error=KeyError",
    ]
    again = late + POSTPONED
    assert sorted(everything(storage, subscription_id)) == [malformed.key, unknown.key]
    assert stores.upkeep.sweep(subscription_id, again - timedelta(seconds=1), 10) == 0
    assert stores.upkeep.sweep(subscription_id, again, 1) == 1


def test_a_storage_that_fails_in_one_item_leaves_it_due(storage: Storage) -> None:
    subscription_id = new_id()
    key = new_profile(subscription_id).key
    blob = f"{subscription_id}/tii/{key.profile_id}/000000/e.flac"
    storage.audio.put(blob, b"sealed")
    storage.voices.apply(subscription_id, [erase_due(NOW, key, None)])
    scissors = Scissors(at=6, failure=Failure.REFUSED)
    assert instance(storage, scissors).upkeep.sweep(subscription_id, NOW, 10) == 1
    assert scissors.calls[4:] == ["names", "delete"]
    assert storage.audio.get(blob) == b"sealed"
    assert instance(storage).upkeep.sweep(subscription_id, NOW, 10) == 1
    assert everything(storage, subscription_id) == {}
