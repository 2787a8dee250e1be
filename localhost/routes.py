"""Which function a request is for: templates tried in the order of the functions' names, as the Functions host does
(github.com/Azure/azure-functions-host, issue 9876).

Read is what Timbre's templates use: literals, ``{name}``, ``{name:regex(...)}``, several of these in one segment, a
catch-all at the end, and the root.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from localhost.failure import CannotStart
from localhost.worker import Function

ROOT: Final = "{ignored:maxlength(0)?}"
"""The only template that gets ``/`` from the Functions host."""

_PARAMETER: Final = re.compile(r"\{(\*?)(\w+)(?::regex\(([^{}]*)\))?\}")


@dataclass(frozen=True)
class Route:
    """A template that has been read."""

    pattern: re.Pattern[str]
    constraints: Mapping[str, re.Pattern[str]]

    @classmethod
    def read(cls, template: str) -> Route:
        """Raises ``CannotStart``."""
        if template == ROOT:
            return cls(re.compile(""), {})
        pattern, constraints, at = "", {}, 0
        for parameter in _PARAMETER.finditer(template):
            star, name, constraint = parameter.groups()
            pattern += re.escape(template[at : parameter.start()]) + f"(?P<{name}>{'.+' if star else '[^/]+'})"
            constraints[name] = re.compile(constraint or "", re.IGNORECASE)
            at = parameter.end()
        rest = template[at:]
        if set(_PARAMETER.sub("", template)) & set("{}") or (rest and "{*" in template):
            raise CannotStart(
                f'The local host cannot read the route "{template}": it knows literals, {{name}}, '
                "{name:regex(...)} and a catch-all at the end."
            )
        return cls(re.compile(pattern + re.escape(rest), re.IGNORECASE | re.DOTALL), constraints)

    def values(self, path: str) -> dict[str, str] | None:
        """The route values in a decoded path without its first and last slash; ``None`` where it is another's."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values = found.groupdict()
        return values if all(self.constraints[name].search(value) for name, value in values.items()) else None


class RouteTable:
    """Raises ``CannotStart`` on a template that it cannot read."""

    def __init__(self, functions: Iterable[Function]) -> None:
        named = sorted((function for function in functions if function.is_http), key=lambda one: one.name)
        self._entries = [(Route.read(function.route), function) for function in named]

    def find(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        """``path`` as it came on the wire, without the query."""
        # An encoded slash stays encoded, as in Kestrel: it is data and separates nothing.
        decoded = unquote(re.sub("%2f", "%252F", path, flags=re.IGNORECASE)).removeprefix("/").removesuffix("/")
        for route, function in self._entries:
            values = route.values(decoded) if method in function.methods else None
            if values is not None:
                return function, values
        return None
