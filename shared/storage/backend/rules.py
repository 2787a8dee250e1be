"""What Azure Tables and Blobs can take, checked before anything is sent.

Both adapters call these checks, so that memory refuses what Azure would refuse, and Azurite's gaps (a key with ``/``
answers 500, a batch of 101 drops the connection) are never met. Bounds are Azure's published ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from shared.storage.backend.ports import MAX_CHANGES, Change, Remove, Value

MAX_KEY_CHARACTERS: Final = 512
MAX_BINARY_BYTES: Final = 64 * 1024
MAX_STRING_CHARACTERS: Final = 32 * 1024
MAX_PROPERTIES: Final = 252
OLDEST_DATETIME: Final = datetime(1601, 1, 1, tzinfo=UTC)
"""Edm.DateTime begins here."""
MAX_BLOB_NAME_CHARACTERS: Final = 1024

_KEY: Final = re.compile(r"[ -~]+")
_FORBIDDEN_IN_KEY: Final = frozenset("/\\#?")
_PROPERTY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_RESERVED: Final = frozenset({"PartitionKey", "RowKey", "Timestamp"})
_BLOB_NAME: Final = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


def check_key(key: str) -> None:
    """``ValueError`` unless the key can stand as PartitionKey or RowKey. The message does not repeat the key."""
    if not _KEY.fullmatch(key) or _FORBIDDEN_IN_KEY.intersection(key):
        raise ValueError("A row key is printable ASCII without / \\ # and ?.")
    if len(key) > MAX_KEY_CHARACTERS:
        raise ValueError(f"A row key has at most {MAX_KEY_CHARACTERS} characters, this one {len(key)}.")


def check_blob_name(name: str) -> None:
    """``ValueError`` unless the name is ``/``-separated parts of letters, digits, dot, dash and underscore."""
    parts = name.split("/")
    if not _BLOB_NAME.fullmatch(name) or "." in parts or ".." in parts:
        raise ValueError("A blob name is /-separated parts of letters, digits, dots, dashes and underscores.")
    if len(name) > MAX_BLOB_NAME_CHARACTERS:
        raise ValueError(f"A blob name has at most {MAX_BLOB_NAME_CHARACTERS} characters, this one {len(name)}.")


def check_blob_prefix(prefix: str) -> None:
    """A prefix ends with ``/``: one that stops inside a part would also match the part's longer neighbours."""
    if not prefix.endswith("/"):
        raise ValueError("A blob prefix ends with /.")
    check_blob_name(prefix[:-1])


def check_changes(partition: str, changes: Sequence[Change]) -> None:
    """``ValueError`` unless the changes can be one entity-group transaction."""
    check_key(partition)
    if len(changes) > MAX_CHANGES:
        raise ValueError(f"At most {MAX_CHANGES} changes are one transaction, these are {len(changes)}.")
    if len({change.key for change in changes}) != len(changes):
        raise ValueError("Each row may be changed once in a transaction.")
    for change in changes:
        check_key(change.key)
        if not isinstance(change, Remove):
            _check_values(change.values)


def _check_values(values: Mapping[str, Value]) -> None:
    if len(values) > MAX_PROPERTIES:
        raise ValueError(f"A row has at most {MAX_PROPERTIES} values, this one {len(values)}.")
    for name, value in values.items():
        if not _PROPERTY.fullmatch(name) or name in _RESERVED:
            raise ValueError(f"{name!r} cannot name a value.")
        _check_value(name, value)


def _check_value(name: str, value: Value) -> None:
    """Types are exact: a subclass would come back as its base, which only one of the adapters would show."""
    if type(value) not in (str, int, float, bool, datetime, bytes):
        raise ValueError(f"{name} cannot be stored as {type(value).__name__}.")
    if isinstance(value, str) and len(value.encode("utf-16-le")) > 2 * MAX_STRING_CHARACTERS:
        raise ValueError(f"{name} has more than {MAX_STRING_CHARACTERS} characters.")
    if isinstance(value, bytes) and len(value) > MAX_BINARY_BYTES:
        raise ValueError(f"{name} has {len(value)} bytes, at most {MAX_BINARY_BYTES} can be stored.")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{name} does not fit in 64 bits.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is not a finite number.")
    if isinstance(value, datetime):
        _check_datetime(name, value)


def _check_datetime(name: str, value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError(f"{name} has no time zone.")
    if value < OLDEST_DATETIME:
        raise ValueError(f"{name} is before 1601.")
