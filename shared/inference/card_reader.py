"""Typed values out of parsed JSON, for the catalogue. Standard library only, like ``model_card``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any


class CatalogueInvalid(Exception):
    """The catalogue cannot be read; the message says where and what was expected."""


class Reader:
    """Takes typed values out of parsed JSON and says where one is missing."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, Mapping):
            raise CatalogueInvalid(f"{where}: expected an object.")
        self._content, self._where = content, where

    def inner(self, name: str) -> Reader:
        return Reader(self._content.get(name), f"{self._where}: {name}")

    def each(self, name: str) -> list[Reader]:
        items = self._content.get(name)
        if not isinstance(items, list):
            raise CatalogueInvalid(f"{self._where}: {name}: expected a list.")
        return [Reader(item, f"{self._where}: {name}[{index}]") for index, item in enumerate(items)]

    def has(self, name: str) -> bool:
        return self._content.get(name) is not None

    def text(self, name: str) -> str:
        return str(self._value(name, str, "a text"))

    def choice(self, name: str, choices: Sequence[str]) -> str:
        text = self.text(name)
        if text not in choices:
            raise CatalogueInvalid(f"{self._where}: {name}: expected one of {', '.join(choices)}.")
        return text

    def whole(self, name: str) -> int:
        return int(self._value(name, int, "a whole number"))

    def number(self, name: str) -> float:
        return float(self._value(name, int | float, "a number"))

    def day(self, name: str) -> str:
        text = self.text(name)
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError as error:
            raise CatalogueInvalid(f"{self._where}: {name}: expected a date, yyyy-mm-dd.") from error

    def _value(self, name: str, kind: Any, expected: str) -> Any:
        value = self._content.get(name)
        if isinstance(value, bool) or not isinstance(value, kind):
            raise CatalogueInvalid(f"{self._where}: {name}: expected {expected}.")
        return value
