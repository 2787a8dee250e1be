"""The service in this process, on real storage whose every call is timed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from shared import bootstrap
from shared.bootstrap import Services
from shared.config import read
from shared.storage.backend.ports import Blob, Blobs, Change, Row, Rows
from shared.storage.stores import Storage
from tests.performance.invoke import invoke_identify, invoke_verify


@dataclass(frozen=True)
class StorageCall:
    """``rows``: how many came back."""

    what: str
    started: float
    ended: float
    rows: int


@dataclass
class Came:
    """What a call under way has brought so far."""

    rows: int = 0


@dataclass
class Ledger:
    """Storage calls in the order they ended, from any thread."""

    calls: list[StorageCall] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def entry(self, what: str) -> Iterator[Came]:
        started, came = time.perf_counter(), Came()
        try:
            yield came
        finally:
            with self._lock:
                self.calls.append(StorageCall(what, started, time.perf_counter(), came.rows))

    def taken(self) -> list[StorageCall]:
        """The calls since the last time this was asked."""
        with self._lock:
            calls, self.calls = self.calls, []
        return calls


class TimedRows:
    """Implements ``Rows`` over another one."""

    def __init__(self, rows: Rows, ledger: Ledger) -> None:
        self._rows, self._ledger = rows, ledger

    def get(self, partition: str, key: str) -> Row | None:
        with self._ledger.entry(f"read {_kind(key)}") as came:
            found = self._rows.get(partition, key)
            came.rows = 1 if found else 0
            return found

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        with self._ledger.entry(f"range of {_kind(start)}") as came:
            found = list(self._rows.query(partition, start, end, limit=limit, select=select))
            came.rows = len(found)
            return iter(found)

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        with self._ledger.entry(f"write {'+'.join(_kind(change.key) for change in changes)}"):
            self._rows.apply(partition, changes)


class TimedBlobs:
    """Implements ``Blobs`` over another one."""

    def __init__(self, blobs: Blobs, ledger: Ledger) -> None:
        self._blobs, self._ledger = blobs, ledger

    def put(self, name: str, content: bytes) -> None:
        with self._ledger.entry("write blob"):
            self._blobs.put(name, content)

    def get(self, name: str) -> bytes | None:
        with self._ledger.entry("read blob"):
            return self._blobs.get(name)

    def get_with_etag(self, name: str) -> Blob | None:
        with self._ledger.entry("read blob"):
            return self._blobs.get_with_etag(name)

    def put_over(self, name: str, content: bytes, etag: str | None) -> bool:
        with self._ledger.entry("write blob"):
            return self._blobs.put_over(name, content, etag)

    def names(self, prefix: str) -> Iterator[str]:
        with self._ledger.entry("list blobs"):
            return iter(list(self._blobs.names(prefix)))

    def delete(self, name: str) -> None:
        with self._ledger.entry("delete blob"):
            self._blobs.delete(name)


@dataclass(frozen=True)
class InProcess:
    """The process's services, as the app builds them, with a ledger of what they ask of storage."""

    services: Services
    ledger: Ledger
    key: str

    def verify(self, profile_id: str, wav: bytes) -> None:
        invoke_verify(self.key, profile_id, wav)

    def identify(self, profile_ids: list[str], wav: bytes) -> None:
        invoke_identify(self.key, profile_ids, wav)


def in_process(environment: Mapping[str, str], key: str) -> InProcess:
    """``shared.bootstrap.services`` of this process, its storage adapters behind timers. Once a process."""
    ledger = Ledger()

    config = read(environment)
    below = Storage.in_azure(config.storage)
    storage = Storage(
        lambda name: TimedRows(below.rows(name), ledger), lambda name: TimedBlobs(below.blobs(name), ledger)
    )
    bootstrap._services = bootstrap.build(config, storage)
    return InProcess(bootstrap._services, ledger, key)


def _kind(key: str) -> str:
    """``profile`` of ``profile:tii:...``: what a row is, without saying which."""
    return key.split(":", 1)[0]
