"""The app's own table of its HTTP functions, for paths that the functions host does not bring to the right one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from shared.http.streams import Answering

_PARAMETER = re.compile(r"\{(\w+)(?::regex\(\^(.*?)\$\))?\}")


@dataclass(frozen=True)
class Route:
    """What answers at a route template: literals, ``{name}`` and ``{name:regex(^...$)}``, and nothing else."""

    template: str
    methods: frozenset[str]
    answering: Answering

    def values(self, path: str) -> dict[str, str] | None:
        """The route parameters in a path without leading slash; literals match in any case, a last slash is ignored."""
        found = re.fullmatch(_pattern(self.template), path.removesuffix("/"), re.IGNORECASE)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


class RouteTable:
    """Filled while the function modules are imported."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, template: str, methods: Iterable[str], answering: Answering) -> None:
        self._routes.append(Route(template, frozenset(methods), answering))

    def matches(self, path: str) -> list[tuple[Route, dict[str, str]]]:
        """Every route that takes the path, whatever its methods."""
        found = ((route, route.values(path)) for route in self._routes)
        return [(route, values) for route, values in found if values is not None]


def folded(path: str) -> str:
    """A run of slashes becomes one slash: some clients add one to a base URL that ends with one (contract, fact 6)."""
    return re.sub("/{2,}", "/", path)


def _pattern(template: str) -> str:
    pattern, at = "", 0
    for parameter in _PARAMETER.finditer(template):
        name, constraint = parameter.groups()
        pattern += f"{re.escape(template[at : parameter.start()])}(?P<{name}>{constraint or '[^/]+'})"
        at = parameter.end()
    return pattern + re.escape(template[at:])
