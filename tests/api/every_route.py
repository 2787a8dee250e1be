"""Every route of the app that names a profile or an operation, read from the app itself.

A route or parameter that this module has not heard of is an error: whoever adds one says here how it names a profile,
and it is in the isolation tests from then on.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import azure.functions as func

from function_app import app

ID = "{id}"

_PARAMETER = re.compile(r"\{(\w+)(?::regex\((\^.*?\$)\))?\}")
_POOLS: dict[str, tuple[str, ...]] = {
    "collection": ("verificationProfiles", "identificationProfiles"),
    "family": ("verification", "identification"),
    "mode": ("text-dependent", "text-independent"),
    "locale": ("en-US",),
    "name": ("a-group",),
    "profileId": (ID,),
    "operationId": (ID,),
}
_QUERIES = {
    "verify": "?verificationProfileId={id}",
    "identify": "?identificationProfileIds={id}",
    "identify_v2": "?profileIds={id}",
    "identify_v2021": "?profileIds={id}",
    "identifyTurns_v2021": "?profileIds={id}",
}
"""Functions that name profiles in their query."""

UNDESCRIBED = {"console", "console_file", "zz_elsewhere"}
"""Functions that are no operation of the API: the console's files, and the last resort for paths of nobody."""

NAME_NO_PROFILE = {
    "groups", "group", "profiles", "phrases", "health", "health_ready", "settings", "audit", "caller", "tokens",
    "label", "openapi", "root", *UNDESCRIBED,
}  # fmt: skip
"""Functions, without their generation, that name neither a profile nor an operation."""


@dataclass(frozen=True)
class Spot:
    """One way to name a profile or an operation: a path with its query, where ``{id}`` stands for the id."""

    function: str
    method: str
    path: str

    def at(self, named: str) -> str:
        return self.path.replace(ID, named)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def spots() -> list[Spot]:
    """Every function, method and combination of path parameters with a place for an id."""
    return [spot for function in functions() for spot in _spots(function)]


@cache
def functions() -> tuple[func.Function, ...]:
    """The app can be indexed once in a process: whoever asks it a second time is refused."""
    return tuple(app.get_functions())


def http_trigger(function: func.Function) -> dict[str, Any] | None:
    trigger = _trigger(function)
    return trigger if trigger["type"] == "httpTrigger" else None


def template(trigger: dict[str, Any]) -> str:
    """As the app's own table reads it: the functions host needs a parameter of no characters for the root."""
    route = str(trigger["route"])
    return "" if route == "{ignored:maxlength(0)?}" else route


def _spots(function: func.Function) -> Iterator[Spot]:
    name, trigger = str(function.get_function_name()), _trigger(function)
    operation = name.removesuffix("_v2021").removesuffix("_v2")
    if trigger["type"] != "httpTrigger" or operation in NAME_NO_PROFILE:
        return
    if trigger["authLevel"] is not func.AuthLevel.ANONYMOUS:
        return  # the operator's: the host asks for the function key, which opens every subscription
    query = _QUERIES.get(name, "")
    for path in _paths(str(trigger["route"])):
        place = f"/{path}{query}"
        assert ID in place, f"{name}: how does this function name a profile? Say so in {__file__}"
        yield from (Spot(name, method.value, place) for method in trigger["methods"])


def _trigger(function: func.Function) -> dict[str, Any]:
    trigger = function.get_trigger()
    assert trigger is not None
    found: dict[str, Any] = trigger.get_dict_repr()
    return found


def _paths(template: str) -> Iterator[str]:
    """The template with every value that its parameters admit in their places."""
    places = list(_PARAMETER.finditer(template))
    pools = []
    for name, constraint in (place.groups(default="") for place in places):
        assert name in _POOLS, f"{template}: what may {name} be? Say so in {__file__}"
        pools.append([value for value in _POOLS[name] if re.search(constraint, value)])
    literals = _PARAMETER.split(template)[:: places[0].re.groups + 1] if places else [template]
    assert not any("{" in literal for literal in literals), f"{template} is not understood"
    for values in itertools.product(*pools):
        yield "".join(literal + value for literal, value in zip(literals, (*values, ""), strict=True))
