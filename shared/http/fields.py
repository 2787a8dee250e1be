"""Values of JSON bodies: each read with its type and range checked, and refused by its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from shared.domain.errors import ParameterInvalid, RequestInvalid

Json: TypeAlias = Mapping[str, object]


class FieldUnknown(RequestInvalid):
    def __init__(self, name: str, known: Collection[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f'Unknown field "{name[:64]}". Known fields are {", ".join(known)}.')


def known_fields(received: Json, known: Collection[str], prefix: str = "") -> None:
    for name in received:
        if name not in known:
            raise FieldUnknown(f"{prefix}{name}", [f"{prefix}{one}" for one in known])


def number(name: str, value: object, rule: str, fits: Callable[[float], bool]) -> float:
    """JSON's ``true`` is no number here, though it is one in Python; nor is ``NaN``, which is no JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
        raise ParameterInvalid(name, kind_of(value), rule)
    read = float(value)
    if not math.isfinite(read) or not fits(read):  # a float may round onto the bound that it must stay off
        raise ParameterInvalid(name, kind_of(value), rule)
    return read


def json_object(name: str, value: object) -> Json:
    if not isinstance(value, dict):
        raise ParameterInvalid(name, kind_of(value), "It must be an object.")
    return value


def kind_of(value: object) -> str:
    """A number as it was sent, of anything else what it is: a message repeats no more than that."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**30):
        return str(value)
    names = ((str, "a text"), (list, "a list"), (dict, "an object"))
    return next((name for kind, name in names if isinstance(value, kind)), "a huge number")
