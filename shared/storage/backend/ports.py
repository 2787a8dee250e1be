"""What a storage technology must offer. ``memory`` and the Azure adapters (``tables``, ``blobs``) keep one contract.

Rows are Azure Table entities reduced to what Timbre needs: a partition, a key, flat typed values, an ETag, atomic
changes inside one partition. Keys are ASCII without ``/ \\ # ?`` and control characters, at most 512 long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

Value: TypeAlias = str | int | float | bool | datetime | bytes
"""A property. ``None`` is not storable: leave the property out. At most 64 KiB of bytes, 32 Ki characters.

Datetimes are aware and come back in UTC, exact to the microsecond. Integers have 64 bits. Floats are finite."""

V = TypeVar("V", str, int, float, bool, datetime, bytes)

MAX_CHANGES = 100
"""Azure's bound on one entity-group transaction. Azurite drops the connection at 101."""


class RowMalformed(Exception):
    """A row lacks a value, or has one of another type. Only a foreign hand or a bug can do that."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"A stored row has no usable {name}.")


@dataclass(frozen=True)
class Row:
    partition: str
    key: str
    values: Mapping[str, Value] = field(repr=False)
    etag: str = field(default="", compare=False)

    def get(self, name: str, kind: type[V]) -> V:
        """The value of exactly this type; ``RowMalformed``."""
        value = self.maybe(name, kind)
        if value is None:
            raise RowMalformed(name)
        return value

    def maybe(self, name: str, kind: type[V]) -> V | None:
        """``None`` when the row does not have it; ``RowMalformed`` when it is of another type."""
        value = self.values.get(name)
        if value is not None and type(value) is not kind:
            raise RowMalformed(name)
        return value


@dataclass(frozen=True)
class Insert:
    """Fails with ``RowExists``."""

    key: str
    values: Mapping[str, Value] = field(repr=False)


@dataclass(frozen=True)
class Replace:
    """All values anew, if the row is still the one with this ETag: otherwise ``RowChanged`` or ``RowMissing``."""

    key: str
    values: Mapping[str, Value] = field(repr=False)
    etag: str


@dataclass(frozen=True)
class Merge:
    """These values anew, the others as they are. ``etag`` None: whatever it is now. ``RowMissing`` when absent."""

    key: str
    values: Mapping[str, Value] = field(repr=False)
    etag: str | None = None


@dataclass(frozen=True)
class Remove:
    """``etag`` None: whatever it is now. ``RowMissing`` when absent."""

    key: str
    etag: str | None = None


Change: TypeAlias = Insert | Replace | Merge | Remove


class RowConflict(Exception):
    """A change's condition did not hold; nothing was written. ``key`` is the row at fault."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


class RowExists(RowConflict):
    pass


class RowChanged(RowConflict):
    pass


class RowMissing(RowConflict):
    pass


class Rows(Protocol):
    """One table. Every method raises ``StorageUnavailable`` when the technology fails or is busy."""

    def get(self, partition: str, key: str) -> Row | None: ...

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        """Rows with ``start <= key < end`` in ordinal key order; only the ``select`` ed values when given."""

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        """All changes or none, at most ``MAX_CHANGES``, each key once; none at all is no call.

        Raises the ``RowConflict`` of a change at fault: when several conditions fail, any of them may be the one
        reported. ``ValueError``, before anything is sent, for what the technology could not take.

        ``StorageUnavailable`` and, after the adapter's own second attempt, a conflict can also mean that the changes
        were written and the answer was lost: who must know reads what it wrote.
        """


class Blobs(Protocol):
    """One container. Names are ``/``-separated letters, digits, dots, dashes and underscores; others ``ValueError``.

    ``StorageUnavailable`` as for rows.
    """

    def put(self, name: str, content: bytes) -> None:
        """Write or overwrite."""

    def get(self, name: str) -> bytes | None: ...

    def names(self, prefix: str) -> Iterator[str]:
        """In ordinal order; ``prefix`` ends with ``/``."""

    def delete(self, name: str) -> None:
        """Silent when absent."""
