"""Storage that fails at a chosen call: real rows and blobs behind a proxy that counts.

Two failures can be had at any call, each before or after the call has taken effect:

- the *process* dies: this call and every later one raise ``ProcessDied``;
- the *answer* fails: this call alone raises ``StorageUnavailable``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock
from typing import TypeVar

from shared.domain.errors import StorageUnavailable
from shared.storage.backend.ports import Blobs, Change, Row, Rows

T = TypeVar("T")
MORE_CALLS_THAN_ANY_CHANGE = 120


class ProcessDied(Exception):
    """Nothing in the product knows this error, so nothing can clean up after it."""


class Failure(Enum):
    DIES_BEFORE = "the process dies before the call"
    DIES_AFTER = "the process dies after the call"
    REFUSED = "storage refuses the call"
    ANSWER_LOST = "the answer is lost"


@dataclass
class Scissors:
    """Cut at call number ``at``, counted from 1 over rows and blobs together; 0 never cuts.

    ``before_call`` is run once before call number ``interrupt_at``: what another instance does at that moment.
    """

    at: int = 0
    failure: Failure = Failure.DIES_BEFORE
    interrupt_at: int = 0
    before_call: Callable[[], None] = lambda: None
    calls: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @property
    def reached(self) -> bool:
        return 0 < self.at <= len(self.calls)

    def run(self, name: str, call: Callable[[], T]) -> T:
        with self._lock:
            self.calls.append(name)
            number = len(self.calls)
        if number == self.interrupt_at:
            self.before_call()
        dies = self.failure in (Failure.DIES_BEFORE, Failure.DIES_AFTER)
        if self.at and number > self.at and dies:
            raise ProcessDied
        if number != self.at:
            return call()
        if self.failure in (Failure.DIES_AFTER, Failure.ANSWER_LOST):
            call()
        raise ProcessDied if dies else StorageUnavailable


def cuts(failure: Failure, *, step: int = 1, least: int = 2) -> Iterator[Scissors]:
    """Scissors for each ``step``-th call in turn, until a run needs fewer calls; every run has ``least`` and more.

    Each failure begins at a call of its own: with a step of 4, one of the four befalls every call.
    """
    for at in range(1 + list(Failure).index(failure) % step, MORE_CALLS_THAN_ANY_CHANGE, step):
        scissors = Scissors(at=at, failure=failure)
        yield scissors
        if not scissors.reached:
            assert at > least
            return
    raise AssertionError("it never ran without a cut")


class CuttingRows:
    def __init__(self, rows: Rows, scissors: Scissors) -> None:
        self._rows, self._scissors = rows, scissors

    def get(self, partition: str, key: str) -> Row | None:
        return self._scissors.run("get", lambda: self._rows.get(partition, key))

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        return self._scissors.run(
            "query", lambda: iter(list(self._rows.query(partition, start, end, limit=limit, select=select)))
        )

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        if changes:  # none at all is no call
            self._scissors.run("apply", lambda: self._rows.apply(partition, changes))


class CuttingBlobs:
    def __init__(self, blobs: Blobs, scissors: Scissors) -> None:
        self._blobs, self._scissors = blobs, scissors

    def put(self, name: str, content: bytes) -> None:
        return self._scissors.run("put", lambda: self._blobs.put(name, content))

    def get(self, name: str) -> bytes | None:
        return self._scissors.run("read", lambda: self._blobs.get(name))

    def names(self, prefix: str) -> Iterator[str]:
        return self._scissors.run("names", lambda: iter(list(self._blobs.names(prefix))))

    def delete(self, name: str) -> None:
        return self._scissors.run("delete", lambda: self._blobs.delete(name))
