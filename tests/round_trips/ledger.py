"""Rows and blobs that write down what is asked of them: real storage behind them, memory or Azure's own clients.

A call is named by what it costs and what it is about: ``read profile``, ``query enrollment``, ``write profile+tally``
(one transaction), ``merge profile`` (a change that needs none), ``put recording``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from threading import Lock
from typing import Final

from shared.storage.backend.ports import Blob, Blobs, Change, Merge, Row, Rows
from shared.storage.layout import CHANGE_HEAD, ENROLLMENT_AUDIO, GALLERIES, KEYS, is_operation

_TABLES: Final = {KEYS: "key", "audit": "audit"}
"""Tables with rows of one kind."""

_BLOBS: Final = {ENROLLMENT_AUDIO: "recording", GALLERIES: "pack"}


@dataclass
class Ledger:
    """Calls in the order they began, from any thread; ``requests`` are what went over the network."""

    calls: list[str] = field(default_factory=list)
    requests: int = 0
    _lock: Lock = field(default_factory=Lock)

    def note(self, call: str) -> None:
        with self._lock:
            self.calls.append(call)

    def note_request(self) -> None:
        with self._lock:
            self.requests += 1

    def taken(self) -> tuple[tuple[str, ...], int]:
        """The calls and the number of requests since the last time this was asked; alike neighbours as one."""
        with self._lock:
            calls, requests = self.calls, self.requests
            self.calls, self.requests = [], 0
        return folded(calls), requests


def folded(calls: Sequence[str]) -> tuple[str, ...]:
    """``read profile`` three times in a row is ``read profile ×3``."""
    runs = [(call, len(list(run))) for call, run in groupby(calls)]
    return tuple(call if number == 1 else f"{call} ×{number}" for call, number in runs)


class NotingRows:
    def __init__(self, rows: Rows, table: str, ledger: Ledger) -> None:
        self._rows, self._table, self._ledger = rows, table, ledger

    def get(self, partition: str, key: str) -> Row | None:
        self._ledger.note(f"read {self._kind(key)}")
        return self._rows.get(partition, key)

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        self._ledger.note(f"query {self._kind(start.replace(CHANGE_HEAD, 'change:'))}")
        return self._rows.query(partition, start, end, limit=limit, select=select)

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        if changes:
            self._ledger.note(f"{_verb(changes)} {'+'.join(dict.fromkeys(self._kind(one.key) for one in changes))}")
        self._rows.apply(partition, changes)

    def _kind(self, key: str) -> str:
        """``profile`` of ``profile:tii:...``: what a row is, without saying which."""
        if is_operation(key):
            return "operation"
        return _TABLES.get(self._table) or ("head" if key == CHANGE_HEAD else key.split(":", 1)[0])


def _verb(changes: Sequence[Change]) -> str:
    """As ``TableRows`` sends it."""
    (first, *others) = changes
    return "merge" if not others and isinstance(first, Merge) and first.etag is None else "write"


class NotingBlobs:
    def __init__(self, blobs: Blobs, container: str, ledger: Ledger) -> None:
        self._blobs, self._what, self._ledger = blobs, _BLOBS[container], ledger

    def put(self, name: str, content: bytes) -> None:
        self._ledger.note(f"put {self._what}")
        self._blobs.put(name, content)

    def get(self, name: str) -> bytes | None:
        self._ledger.note(f"read {self._what}")
        return self._blobs.get(name)

    def get_with_etag(self, name: str) -> Blob | None:
        self._ledger.note(f"read {self._what}")
        return self._blobs.get_with_etag(name)

    def put_over(self, name: str, content: bytes, etag: str | None) -> bool:
        self._ledger.note(f"put {self._what}")
        return self._blobs.put_over(name, content, etag)

    def names(self, prefix: str) -> Iterator[str]:
        self._ledger.note(f"list {self._what}")
        return self._blobs.names(prefix)

    def delete(self, name: str) -> None:
        self._ledger.note(f"delete {self._what}")
        self._blobs.delete(name)
