"""Rows and blobs in memory: real code behind the same ports, with the same contract tests as the Azure adapters.

For tests, and for a service that keeps nothing. Thread-safe; every value is copied in.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

from shared.storage.backend.clock import system_clock
from shared.storage.backend.ports import (
    Change,
    Insert,
    Merge,
    Remove,
    Replace,
    Row,
    RowChanged,
    RowExists,
    RowMissing,
    Value,
)
from shared.storage.backend.rules import check_blob_name, check_blob_prefix, check_changes, check_key


class MemoryRows:
    """One table. ETags are numbers that are never given twice."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: dict[str, _Partition] = {}
        self._last_etag = 0

    def get(self, partition: str, key: str) -> Row | None:
        check_key(partition)
        check_key(key)
        with self._lock:
            stored = self._partitions.get(partition)
            return stored.rows.get(key) if stored else None

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        for key in (partition, start, end):
            check_key(key)
        with self._lock:
            stored = self._partitions.get(partition)
            rows = stored.between(start, end, limit) if stored else []
        return iter([_selected(row, select) for row in rows])

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        check_changes(partition, changes)
        with self._lock:
            rows = self._partitions.setdefault(partition, _Partition())
            for change in changes:
                rows.check(change)
            for change in changes:
                self._last_etag += 1
                rows.perform(partition, change, f'W/"{self._last_etag}"')


class _Partition:
    """Rows by key, and their keys in order: a range costs what it returns, as in Azure."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._keys: list[str] = []

    def between(self, start: str, end: str, limit: int | None) -> list[Row]:
        first, last = bisect_left(self._keys, start), bisect_left(self._keys, end)
        if limit is not None:
            last = min(last, first + limit)
        return [self.rows[key] for key in self._keys[first:last]]

    def check(self, change: Change) -> None:
        present = self.rows.get(change.key)
        if isinstance(change, Insert):
            if present is not None:
                raise RowExists(change.key)
            return
        if present is None:
            raise RowMissing(change.key)
        if change.etag is not None and change.etag != present.etag:
            raise RowChanged(change.key)

    def perform(self, partition: str, change: Change, etag: str) -> None:
        if isinstance(change, Remove):
            del self.rows[change.key]
            del self._keys[bisect_left(self._keys, change.key)]
            return
        if change.key not in self.rows:
            insort(self._keys, change.key)
        earlier = self.rows[change.key].values if isinstance(change, Merge) else {}
        self.rows[change.key] = Row(partition, change.key, {**earlier, **_in_utc(change)}, etag)


def _in_utc(change: Insert | Replace | Merge) -> Mapping[str, Value]:
    """Tables keep instants, not zones: what comes back is UTC."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in change.values.items()
    }


def _selected(row: Row, select: Sequence[str] | None) -> Row:
    if select is None:
        return row
    return Row(row.partition, row.key, {name: row.values[name] for name in select if name in row.values}, row.etag)


class MemoryClock:
    """This machine's: it is storage's own."""

    def __call__(self) -> datetime:
        return system_clock()

    def skew(self, since: float) -> timedelta:  # noqa: ARG002
        return timedelta()


class MemoryBlobs:
    """One container."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._contents: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        check_blob_name(name)
        with self._lock:
            self._contents[name] = bytes(content)

    def get(self, name: str) -> bytes | None:
        check_blob_name(name)
        with self._lock:
            return self._contents.get(name)

    def names(self, prefix: str) -> Iterator[str]:
        check_blob_prefix(prefix)
        with self._lock:
            return iter(sorted(name for name in self._contents if name.startswith(prefix)))

    def delete(self, name: str) -> None:
        check_blob_name(name)
        with self._lock:
            self._contents.pop(name, None)
