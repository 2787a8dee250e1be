"""Operations on long recordings on every storage: what is sealed, what is found, what is left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.errors import OperationNotFound, SealBroken, TooManyOpenRecordings
from shared.domain.limits import OPEN_LONG_RECORDINGS
from shared.domain.long_operation import Failure, LongOperation, LongStatus
from shared.domain.operation import operation_id
from shared.storage.backend.ports import Merge
from shared.storage.profiles.long_operations import LEASED
from shared.storage.stores import Storage, Stores
from tests.contract.stores import NOW, instance, new_id, new_subscription

REQUEST = b'{"url": "https://meetings.example.com/secret-recording.wav?sig=secret-signature"}'
STATE = b"embeddings of voices, in the clear" * 10_000
"""More than a row can hold."""


def put(stores: Stores, owner: str) -> str:
    new = LongOperation(owner, operation_id(NOW, new_id()), NOW, NOW)
    stores.long_operations.put(new, REQUEST)
    return new.operation_id


def everything(storage: Storage, owner: str) -> bytes:
    rows = [repr(dict(row.values)).encode() for row in storage.voices.query(owner, " ", "~")]
    return b"".join([*rows, *(storage.turns.get(name) or b"" for name in storage.turns.names(f"{owner}/"))])


def test_an_operation_from_its_beginning_to_its_end(storage: Storage, stores: Stores) -> None:
    owner, store, later = new_subscription(stores), stores.long_operations, NOW + timedelta(minutes=1)
    one = put(stores, owner)
    assert store.get(owner, one, NOW).status is LongStatus.NOT_STARTED
    (slot,) = store.open_operations(owner)
    lease = store.lease(owner, slot, NOW)
    assert lease is not None
    assert (lease.operation_id, lease.request, lease.state, lease.attempts) == (one, REQUEST, None, 1)
    assert store.lease(owner, slot, NOW + LEASED - timedelta(seconds=1)) is None
    store.save(lease, STATE, 40, later)
    half = store.get(owner, one, later)
    assert (half.status, half.percent, half.last_action_at) == (LongStatus.RUNNING, 40, later)
    again = instance(storage).long_operations.lease(owner, slot, later)
    assert again is not None
    assert (again.state, again.attempts) == (STATE, 1)
    kept = everything(storage, owner)
    assert b"secret" not in kept
    assert b"in the clear" not in kept
    store.succeed(again, b"the result in the clear", later)
    done = store.get(owner, one, later)
    assert (done.status, done.percent, done.result) == (LongStatus.SUCCEEDED, 100, b"the result in the clear")
    assert list(store.open_operations(owner)) == []
    assert b"in the clear" not in everything(storage, owner)
    assert len(list(storage.turns.names(f"{owner}/"))) == 1  # the result: what was heard has gone


def test_a_failure_keeps_its_name_and_no_blob(storage: Storage, stores: Stores) -> None:
    owner, store = new_subscription(stores), stores.long_operations
    one = put(stores, owner)
    lease = store.lease(owner, 0, NOW)
    assert lease is not None
    store.save(lease, STATE, 40, NOW)
    lease = store.lease(owner, 0, NOW)
    assert lease is not None
    store.fail(lease, Failure("SourceChanged", "a sentence"), NOW)
    failed = store.get(owner, one, NOW)
    assert (failed.status, failed.percent, failed.failure) == (
        LongStatus.FAILED,
        40,
        Failure("SourceChanged", "a sentence"),
    )
    assert list(storage.turns.names(f"{owner}/")) == []


def test_as_many_are_open_as_there_are_slots(stores: Stores) -> None:
    owner = new_subscription(stores)
    first, *_ = [put(stores, owner) for _ in range(OPEN_LONG_RECORDINGS)]
    with pytest.raises(TooManyOpenRecordings):
        put(stores, owner)
    put(stores, new_subscription(stores))
    stores.long_operations.remove(owner, first, NOW)
    put(stores, owner)


def test_what_is_unknown_foreign_or_over_is_not_found(stores: Stores) -> None:
    owner, store = new_subscription(stores), stores.long_operations
    one = put(stores, owner)
    over = NOW + timedelta(hours=24)
    for whose, which, at in [
        (owner, new_id(), NOW),
        (owner, operation_id(NOW, new_id()), NOW),
        (owner, "no-id", NOW),
        (new_subscription(stores), one, NOW),
        (owner, one, over),
    ]:
        with pytest.raises(OperationNotFound):
            store.get(whose, which, at)
        with pytest.raises(OperationNotFound):
            store.remove(whose, which, at)
    assert store.lease(owner, 0, over) is None


def test_a_swapped_request_is_noticed(storage: Storage, stores: Stores) -> None:
    owner, store = new_subscription(stores), stores.long_operations
    put(stores, owner)
    put(stores, owner)
    other = storage.voices.get(owner, "turns:1")
    assert other is not None
    storage.voices.apply(owner, [Merge("turns:0", {"request": other.get("request", bytes)})])
    with pytest.raises(SealBroken):
        store.lease(owner, 0, NOW)
