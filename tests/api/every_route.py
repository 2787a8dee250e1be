"""Every function of the app, and every place where a caller names a profile or an operation.

Places are read from openapi.json, which has every route of the app (``test_openapi.py``). A path parameter that this
module has not heard of is an error: whoever adds one says here what it may be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import azure.functions as func

from function_app import app
from tests.api.contract import DOCUMENT, resolved

ID = "{id}"

_NAMES = {"{profileId}": ID, "{operationId}": ID, "{locale}": "en-US", "{name}": "a-group"}
_IN_QUERY = re.compile(r"(?:verificationP|identificationP|p)rofileIds?")

# The app keeps its process from writing bytecode. In that of the tests every later run would compile all tests anew.
sys.dont_write_bytecode = False

UNDESCRIBED = {"console", "console_file", "zz_elsewhere"}
"""Functions that are no operation of the API: the console's files, and the last resort for paths of nobody."""


@dataclass(frozen=True)
class Spot:
    """One way to name a profile or an operation: a path with its query, where ``{id}`` stands for the id."""

    method: str
    path: str

    def at(self, named: str) -> str:
        return self.path.replace(ID, named)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def spots() -> list[Spot]:
    """Each with its preflight; none of the operator's, whose key opens every subscription."""
    return [
        Spot(method.upper(), place)
        for path, item in DOCUMENT["paths"].items()
        if not path.startswith("/manage/") and ID in (place := _place(path, item))
        for method in (*item, "options")
    ]


@cache
def functions() -> tuple[func.Function, ...]:
    """The app can be indexed once in a process: whoever asks it a second time is refused."""
    return tuple(app.get_functions())


def http_trigger(function: func.Function) -> dict[str, Any] | None:
    trigger = function.get_trigger()
    assert trigger is not None
    found: dict[str, Any] = trigger.get_dict_repr()
    return found if found["type"] == "httpTrigger" else None


def template(trigger: dict[str, Any]) -> str:
    """As the app's own table reads it: the functions host needs a parameter of no characters for the root."""
    route = str(trigger["route"])
    return "" if route == "{ignored:maxlength(0)?}" else route


def _place(path: str, item: dict[str, Any]) -> str:
    place = re.sub(r"\{\w+\}", lambda name: _NAMES[name[0]], path)
    return "?".join((place, *(f"{name}={ID}" for name in _query_names(item) if _IN_QUERY.fullmatch(name))))


def _query_names(item: dict[str, Any]) -> Iterator[str]:
    for operation in item.values():
        parameters = [resolved(parameter) for parameter in operation.get("parameters", ())]
        yield from (str(parameter["name"]) for parameter in parameters if parameter["in"] == "query")
