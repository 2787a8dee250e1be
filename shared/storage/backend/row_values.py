"""Reads a row's values as the types they were written with."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from shared.storage.backend.ports import Row, Value

T = TypeVar("T", str, int, float, bool, datetime, bytes)


class RowMalformed(Exception):
    """A row lacks a value, or has one of another type. Only a foreign hand or a bug can do that."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"A stored row has no usable {name}.")


class Fields:
    """A row's values by type. Each reader raises ``RowMalformed``; the ``maybe`` ones answer None when absent."""

    def __init__(self, row: Row) -> None:
        self._values = row.values

    def text(self, name: str) -> str:
        return _required(name, self.maybe_text(name))

    def integer(self, name: str) -> int:
        return _required(name, self.maybe_integer(name))

    def number(self, name: str) -> float:
        return _required(name, self.maybe_number(name))

    def time(self, name: str) -> datetime:
        return _required(name, self.maybe_time(name))

    def binary(self, name: str) -> bytes:
        return _required(name, self.maybe_binary(name))

    def maybe(self, name: str, kind: type[T]) -> T | None:
        return _of_type(name, self._values.get(name), kind)

    def maybe_text(self, name: str) -> str | None:
        return _of_type(name, self._values.get(name), str)

    def maybe_integer(self, name: str) -> int | None:
        return _of_type(name, self._values.get(name), int)

    def maybe_number(self, name: str) -> float | None:
        return _of_type(name, self._values.get(name), float)

    def maybe_flag(self, name: str) -> bool | None:
        return _of_type(name, self._values.get(name), bool)

    def maybe_time(self, name: str) -> datetime | None:
        return _of_type(name, self._values.get(name), datetime)

    def maybe_binary(self, name: str) -> bytes | None:
        return _of_type(name, self._values.get(name), bytes)


def _of_type(name: str, value: Value | None, kind: type[T]) -> T | None:
    if value is None:
        return None
    if type(value) is not kind:
        raise RowMalformed(name)
    return value


def _required(name: str, value: T | None) -> T:
    if value is None:
        raise RowMalformed(name)
    return value
