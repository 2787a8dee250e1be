"""Values out of parsed JSON: each read with its type and bounds checked, and refused by its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TypeAlias

from shared.domain.errors import FieldUnknown, ParameterInvalid
from shared.domain.times import read_date

Json: TypeAlias = Mapping[str, object]


def known_fields(received: Json, known: Collection[str], prefix: str = "") -> Json:
    """The fields under their own names, which may come in any case. Of several that differ in case the last counts."""
    names = {name.lower(): name for name in known}
    for name in received:
        if name.lower() not in names:
            raise FieldUnknown(f"{prefix}{name}", [f"{prefix}{field}" for field in known])
    return {names[name.lower()]: value for name, value in received.items()}


def field_of(received: Json, name: str) -> object:
    """The field of this name in any case; ``None`` when absent."""
    return next((value for key, value in received.items() if key.lower() == name.lower()), None)


def number(name: str, value: object, rule: str, fits: Callable[[float], bool]) -> float:
    """JSON's ``true`` is no number here, though it is one in Python; nor is ``NaN``, which is no JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterInvalid(name, kind_of(value), rule)
    try:
        read = float(value)
    except OverflowError:
        read = math.inf
    # An integer may round onto the bound that it must stay off.
    if not math.isfinite(read) or not fits(value) or not fits(read):
        raise ParameterInvalid(name, kind_of(value), rule)
    return read


def within(name: str, value: object, least: float, most: float) -> float:
    return number(name, value, f"It must be a number from {least:g} to {most:g}.", lambda read: least <= read <= most)


def text(name: str, value: object, longest: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise ParameterInvalid(name, kind_of(value), f"It must be a text of 1 to {longest} characters.")
    return value


def moment(name: str, value: object, rule: str, fits: Callable[[datetime], bool] = lambda _: True) -> datetime:
    """Of a text in ISO 8601, UTC unless it says otherwise."""
    if not isinstance(value, str):
        raise ParameterInvalid(name, kind_of(value), rule)
    try:
        read = read_date(value)
    except (ValueError, OverflowError) as error:
        raise ParameterInvalid(name, value, rule) from error
    if not fits(read):
        raise ParameterInvalid(name, value, rule)
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
