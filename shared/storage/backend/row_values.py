"""Records as row values and back, by the names and types of a dataclass's fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum
from types import NoneType
from typing import Any, Final, TypeAlias, TypeVar, get_args, get_type_hints

from shared.storage.backend.ports import Row, RowMalformed, Value

T = TypeVar("T")

_NUMBER: Final = float
"""A field of this type may hold a numpy number or an int: it is stored as a double."""


def written(record: object, names: Iterable[str] | None = None) -> dict[str, Value]:
    """The named fields, or all, as row values. ``None`` is left out; an enumeration is written as its text."""
    kinds = _kinds(record.__class__)
    values: dict[str, Value] = {}
    for name in kinds if names is None else names:
        value: Any = getattr(record, name)
        if value is not None:
            values[name] = float(value) if kinds[name][0] is _NUMBER else _plain(value)
    return values


def read(row: Row, record: type[T], **given: object) -> T:
    """The record whose fields are the row's values, but for those ``given``.

    ``RowMalformed`` where a value is missing that its field cannot do without, or is of another type.
    """
    values: dict[str, object] = dict(given)
    for name, (kind, optional) in _kinds(record).items():
        if name in given:
            continue
        stored = row.maybe(name, str if issubclass(kind, StrEnum) else kind)
        if stored is None and not optional:
            raise RowMalformed(name)
        values[name] = kind(stored) if stored is not None and issubclass(kind, StrEnum) else stored
    return record(**values)


def _plain(value: Any) -> Value:
    return value.value if isinstance(value, StrEnum) else value


_Kinds: TypeAlias = dict[str, tuple[Any, bool]]

_known: Final[dict[type, _Kinds]] = {}


def _kinds(record: type) -> _Kinds:
    """Each field's type, without ``None``, and whether ``None`` is one of its values."""
    kinds = _known.get(record)
    if kinds is None:
        hints = get_type_hints(record)
        kinds = {}
        for field in fields(record):
            options = get_args(hints[field.name]) or (hints[field.name],)
            kinds[field.name] = (options[0], NoneType in options)
        _known[record] = kinds
    return kinds
