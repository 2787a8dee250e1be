"""Operations on long recordings as rows and sealed blobs.

An operation stands in the row that lets the timer take it away a day after it began, ``due:<time>:turns:<id>``. While
it is open, the row ``turns:<slot>`` holds what was asked for, sealed, whose turn it is to work on it, and the name of
the blob with what was heard so far. There are as many slots as a subscription may have open. That row goes in the
transaction that ends the operation or takes it away.

Each writer gives its blob a name of its own and then names it in the row; who finds that the row has changed takes its
own blob away. Whoever ends an operation, or takes it away, leaves two rows ``due:<time>:turnstidy:<id>`` in the same
transaction, at once and when no writer can be at work any more: what is then not needed is erased, whoever was killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shared.domain.errors import OperationNotFound, StorageUnavailable, TooManyOpenRecordings
from shared.domain.limits import OPEN_LONG_RECORDINGS
from shared.domain.long_operation import Failure, Lease, LongOperation, LongStatus
from shared.domain.operation import expiry
from shared.domain.profile import ProfileKey, ProfileKind
from shared.services.ports.clock_and_ids import Ids
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import Blobs, Change, Insert, Merge, Remove, Replace, Row, RowConflict, Rows, Value
from shared.storage.layout import OPEN_TURNS, TURNS, TURNS_TIDY, due_row, end_of, open_turns_row, turns_blobs
from shared.storage.profiles.schedule import SETTLED
from shared.storage.sealing.envelope import Envelope, Place, Secret

LEASED: Final = timedelta(minutes=3)
"""Longest that whoever holds a lease can be at work: then its function is ended (``host.json``)."""

_REQUEST: Final = "request"
_RESULT: Final = "result"


class RowLongOperations:
    """Implements ``LongOperationStore``. ``blobs`` is a container of its own."""

    def __init__(self, voices: Rows, blobs: Blobs, envelope: Envelope, ids: Ids) -> None:
        self._voices, self._blobs, self._envelope, self._ids = voices, blobs, envelope, ids

    def put(self, operation: LongOperation, request: bytes) -> None:
        owner, operation_id = operation.subscription_id, operation.operation_id
        created: dict[str, Value] = {"created_at": operation.created_at}
        asked: dict[str, Value] = {
            "operation_id": operation_id,
            "last_action_at": operation.created_at,
            "attempts": 0,
            "percent": 0,
            _REQUEST: self._sealed(owner, operation_id, _REQUEST, request),
        }

        def attempt() -> None:
            taken = {row.key for row in self._open(owner, ("operation_id",))}
            free = next((slot for slot in range(OPEN_LONG_RECORDINGS) if open_turns_row(slot) not in taken), None)
            if self._voices.get(owner, _row(operation_id)) is not None:
                return  # this very write, whose first answer was lost
            if free is None:
                raise TooManyOpenRecordings(OPEN_LONG_RECORDINGS)
            own = Insert(_row(operation_id), {**created, "slot": free})
            self._voices.apply(owner, [own, Insert(open_turns_row(free), asked)])

        compare_and_swap(attempt, StorageUnavailable())

    def get(self, subscription_id: str, operation_id: str, at: datetime) -> LongOperation:
        row = self._row(subscription_id, operation_id, at)
        if "status" not in row.values:
            open_row = self._voices.get(subscription_id, open_turns_row(row.get("slot", int)))
            if open_row is not None and open_row.get("operation_id", str) == operation_id:
                return _operation(row, open_row, operation_id)
            row = self._row(subscription_id, operation_id, at)  # it has ended meanwhile
        blob = row.maybe("blob", str)
        sealed = None if blob is None else self._blobs.get(blob)
        if blob is not None and sealed is None:
            raise OperationNotFound(operation_id)  # it is being taken away
        result = None if sealed is None else self._opened(subscription_id, operation_id, _RESULT, sealed)
        return _operation(row, row, operation_id, result)

    def remove(self, subscription_id: str, operation_id: str, at: datetime) -> None:
        self.expire(self._row(subscription_id, operation_id, at), at)

    def expire(self, due: Row, at: datetime) -> None:
        """Nobody can open it or work on it on return, and nothing of it is stored but its id. Silent when absent."""
        operation_id = _id_in(due)
        compare_and_swap(partial(self._unlist, due.partition, operation_id, at), StorageUnavailable())
        self._tidy_at(due.partition, operation_id, at)

    def tidy(self, due: Row) -> None:
        """Erase what is not needed of an operation that has ended or was taken away, and what says that it is due."""
        operation_id = _id_in(due)
        row = self._voices.get(due.partition, _row(operation_id))
        kept = None if row is None else row.maybe("blob", str)
        for name in list(self._blobs.names(turns_blobs(due.partition, operation_id))):
            if name != kept:
                self._blobs.delete(name)
        remove_silently(self._voices, due.partition, due.key)

    def _tidy_at(self, subscription_id: str, operation_id: str, at: datetime) -> None:
        self.tidy(Row(subscription_id, due_row(at, TURNS_TIDY, operation_id), {}))

    def open_operations(self, subscription_id: str) -> Sequence[int]:
        return [int(row.key.removeprefix(OPEN_TURNS)) for row in self._open(subscription_id, ())]

    def lease(self, subscription_id: str, slot: int, at: datetime) -> Lease | None:
        row = self._voices.get(subscription_id, open_turns_row(slot))
        if row is None or (row.maybe("leased_until", datetime) or at) > at:
            return None
        operation_id, attempts = row.get("operation_id", str), row.get("attempts", int) + 1
        if expiry(operation_id) <= at:
            return None
        try:
            leased: dict[str, Value] = {**row.values, "attempts": attempts, "leased_until": at + LEASED}
            self._voices.apply(subscription_id, [Replace(row.key, leased, row.etag)])
        except RowConflict:
            return None  # another instance was faster
        row = self._voices.get(subscription_id, row.key)
        if row is None or (row.get("operation_id", str), row.get("attempts", int)) != (operation_id, attempts):
            return None
        return self._lease(row, operation_id, slot, attempts)

    def save(self, lease: Lease, state: bytes, percent: int, at: datetime) -> None:
        name = f"{turns_blobs(lease.subscription_id, lease.operation_id)}{self._ids()}"
        self._blobs.put(name, self._sealed(lease.subscription_id, lease.operation_id, name, state))
        values: dict[str, Value] = {"blob": name, "percent": percent, "attempts": 0, **_released(at)}
        self._commit(lease, [self._merged(lease, values)], name)
        if lease.blob is not None:
            self._blobs.delete(lease.blob)

    def release(self, lease: Lease, at: datetime) -> None:
        self._commit(lease, [self._merged(lease, _released(at))], None)

    def succeed(self, lease: Lease, result: bytes, at: datetime) -> None:
        name = f"{turns_blobs(lease.subscription_id, lease.operation_id)}{self._ids()}"
        self._blobs.put(name, self._sealed(lease.subscription_id, lease.operation_id, _RESULT, result))
        self._end(lease, {"status": LongStatus.SUCCEEDED.value, "percent": 100, "blob": name}, name, at)

    def fail(self, lease: Lease, failure: Failure, at: datetime) -> None:
        facts = {"failure": failure.name, "message": failure.message}
        self._end(lease, {"status": LongStatus.FAILED.value, "percent": lease.percent, **facts}, None, at)

    def _end(self, lease: Lease, values: dict[str, Value], blob: str | None, at: datetime) -> None:
        ended = Merge(_row(lease.operation_id), {**values, "last_action_at": at})
        closed = Remove(open_turns_row(lease.slot), lease.version)
        self._commit(lease, [ended, closed, *_tidying(lease.operation_id, at)], blob)
        self._tidy_at(lease.subscription_id, lease.operation_id, at)

    def _merged(self, lease: Lease, values: dict[str, Value]) -> Merge:
        return Merge(open_turns_row(lease.slot), values, lease.version)

    def _commit(self, lease: Lease, changes: Sequence[Change], blob: str | None) -> None:
        """``OperationNotFound`` when it was taken away, or the lease was, and another instance has gone on."""
        try:
            self._voices.apply(lease.subscription_id, changes)
        except RowConflict:
            if not self._is_committed(lease, blob):
                if blob is not None:
                    self._blobs.delete(blob)
                raise OperationNotFound(lease.operation_id) from None

    def _is_committed(self, lease: Lease, blob: str | None) -> bool:
        """Whether the conflict is with this very write, whose first answer was lost."""
        keys = (open_turns_row(lease.slot), _row(lease.operation_id))
        rows = [self._voices.get(lease.subscription_id, key) for key in keys]
        return blob is not None and any(row is not None and row.values.get("blob") == blob for row in rows)

    def _unlist(self, subscription_id: str, operation_id: str, at: datetime) -> None:
        row = self._voices.get(subscription_id, _row(operation_id))
        if row is None:
            return
        slot = open_turns_row(row.get("slot", int))
        open_row = self._voices.get(subscription_id, slot)
        own = open_row if open_row is not None and open_row.get("operation_id", str) == operation_id else None
        stopped = [] if own is None else [Remove(slot, own.etag)]
        self._voices.apply(subscription_id, [Remove(row.key, row.etag), *_tidying(operation_id, at), *stopped])

    def _row(self, subscription_id: str, operation_id: str, at: datetime) -> Row:
        try:
            row = self._voices.get(subscription_id, _row(operation_id)) if at < expiry(operation_id) else None
        except ValueError:
            row = None
        if row is None:
            raise OperationNotFound(operation_id)
        return row

    def _open(self, subscription_id: str, select: Sequence[str]) -> list[Row]:
        return list(self._voices.query(subscription_id, OPEN_TURNS, end_of(OPEN_TURNS), select=select))

    def _lease(self, row: Row, operation_id: str, slot: int, attempts: int) -> Lease:
        owner, blob = row.partition, row.maybe("blob", str)
        sealed = None if blob is None else self._blobs.get(blob)
        return Lease(
            owner,
            operation_id,
            slot,
            self._opened(owner, operation_id, _REQUEST, row.get(_REQUEST, bytes)),
            None if blob is None or sealed is None else self._opened(owner, operation_id, blob, sealed),
            attempts,
            row.get("percent", int),
            row.etag,
            blob,
        )

    def _sealed(self, subscription_id: str, operation_id: str, what: str, plain: bytes) -> bytes:
        return self._envelope.seal(_place(subscription_id, operation_id, what), plain)

    def _opened(self, subscription_id: str, operation_id: str, what: str, sealed: bytes) -> bytes:
        return self._envelope.open(_place(subscription_id, operation_id, what), sealed)


def _operation(row: Row, facts: Row, operation_id: str, result: bytes | None = None) -> LongOperation:
    """``facts`` is the row that knows how far it has come."""
    status = row.maybe("status", str)
    begun = facts.maybe("attempts", int) or "blob" in facts.values
    failure = row.maybe("failure", str)
    return LongOperation(
        row.partition,
        operation_id,
        row.get("created_at", datetime),
        facts.get("last_action_at", datetime),
        LongStatus(status) if status else LongStatus.RUNNING if begun else LongStatus.NOT_STARTED,
        facts.get("percent", int),
        result,
        None if failure is None else Failure(failure, row.get("message", str)),
    )


def _released(at: datetime) -> dict[str, Value]:
    return {"leased_until": at, "last_action_at": at}


def _tidying(operation_id: str, at: datetime) -> list[Insert]:
    return [Insert(due_row(moment, TURNS_TIDY, operation_id), {}) for moment in (at, at + SETTLED)]


def _row(operation_id: str) -> str:
    """``ValueError`` for what is no id of an operation."""
    return due_row(expiry(operation_id), TURNS, operation_id)


def _id_in(row: Row) -> str:
    return row.key.split(":", 3)[3]


def _place(subscription_id: str, operation_id: str, what: str) -> Place:
    return Place(ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, operation_id), Secret.TURNS, 0, "", what)
