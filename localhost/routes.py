"""Route templates as ASP.NET Core reads them, which is how the Functions host reads a function's `route`.

Literals match without regard to case, one trailing slash is ignored, a double slash is not folded. A segment is a
literal, a parameter (`{id}`, `{id:guid}`, `{id?}`, `{id=1}`), a catch-all (`{*rest}`) or a mix of literals and
parameters (`{id}:verify`). The best match comes first: segment by segment a literal, then a mixed or constrained
parameter, then a plain parameter, then a catch-all (ASP.NET Core's `RoutePrecedence.ComputeInbound`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

from localhost.failure import CannotStart

Constraint = Callable[[str], bool]
T = TypeVar("T")

_GUID = re.compile(  # the forms that Guid.TryParse takes, without the array form: D, N, B and P
    r"[0-9a-f]{32}|(?P<dashed>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}|\([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)",
    re.IGNORECASE,
)


# A regex has brackets of its own: an argument ends at the one before the next constraint, the default or the end.
_CONSTRAINT = re.compile(r":([a-z]+)(?:\((.*?)\)(?=[:=]|\??$))?")
_PARAMETER = re.compile(
    r"(?P<star>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[a-z]+(?:\(.*?\)(?=[:=]|\??$))?)*)"
    r"(?:=(?P<default>.*?))?(?P<optional>\?)?"
)


def _integer(bits: int) -> Constraint:
    def accepts(value: str) -> bool:
        text = value.strip()
        return re.fullmatch(r"[+-]?[0-9]+", text) is not None and -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)

    return accepts


def _regex(pattern: str) -> Constraint:
    compiled = re.compile(pattern.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
    return lambda value: compiled.search(value) is not None


def _length(arguments: str) -> Constraint:
    low, _, high = arguments.partition(",")
    return lambda value: int(low) <= len(value) <= int(high or low)


def _range(arguments: str) -> Constraint:
    low, _, high = arguments.partition(",")
    whole = _integer(64)
    return lambda value: whole(value) and int(low) <= int(value) <= int(high)


_CONSTRAINTS: Mapping[str, Callable[[str], Constraint]] = {
    "guid": lambda _: lambda value: _GUID.fullmatch(value) is not None,
    "int": lambda _: _integer(32),
    "long": lambda _: _integer(64),
    "bool": lambda _: lambda value: value.lower() in ("true", "false"),
    "alpha": lambda _: _regex("^[a-z]*$"),
    "required": lambda _: lambda value: value != "",
    "regex": _regex,
    "length": _length,
    "minlength": lambda low: lambda value: len(value) >= int(low),
    "maxlength": lambda high: lambda value: len(value) <= int(high),
    "range": _range,
    "min": lambda low: _range(f"{low},{2**63 - 1}"),
    "max": lambda high: _range(f"{-(2**63)},{high}"),
}


@dataclass(frozen=True)
class _Parameter:
    name: str
    constraints: tuple[Constraint, ...]
    optional: bool
    catch_all: bool
    default: str | None

    def accepts(self, value: str) -> bool:
        return all(constraint(value) for constraint in self.constraints)


@dataclass(frozen=True)
class _Segment:
    """Literals (str) and parameters in order; `pattern` matches the whole segment and captures each parameter."""

    parts: tuple[str | _Parameter, ...]
    pattern: re.Pattern[str]

    @property
    def parameters(self) -> list[_Parameter]:
        return [part for part in self.parts if isinstance(part, _Parameter)]

    @property
    def alone(self) -> _Parameter | None:
        """The parameter that is the whole segment, if there is one."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, _Parameter) else None

    @property
    def rank(self) -> int:
        if len(self.parts) > 1:
            return 2
        parameter = self.alone
        if parameter is None:
            return 1
        return (5 if parameter.catch_all else 3) - (1 if parameter.constraints else 0)

    def match(self, text: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values = dict(zip((parameter.name for parameter in self.parameters), found.groups(), strict=True))
        return values if all(parameter.accepts(values[parameter.name]) for parameter in self.parameters) else None


@dataclass(frozen=True)
class Route:
    """A parsed template; `match` takes the decoded segments of a path."""

    template: str
    segments: tuple[_Segment, ...]

    @classmethod
    def parse(cls, template: str) -> Route:
        """Raise `CannotStart` on a template that the real host would refuse too."""
        text = template.strip("/")
        parts = _split(text) if text else []
        return cls(text, tuple(_segment(part, text) for part in parts))

    @property
    def precedence(self) -> tuple[tuple[int, ...], str]:
        return tuple(segment.rank for segment in self.segments), self.template.lower()

    def match(self, path: list[str]) -> dict[str, str] | None:
        """The route parameters, or None. An absent optional parameter is not among them."""
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            parameter = segment.alone
            if parameter and parameter.catch_all:
                rest = "/".join(path[index:])
                return {**values, parameter.name: rest} if parameter.accepts(rest) else None
            if index >= len(path):
                if parameter is None or not (parameter.optional or parameter.default is not None):
                    return None
                values.update({parameter.name: parameter.default} if parameter.default is not None else {})
                continue
            found = segment.match(path[index])
            if found is None:
                return None
            values.update(found)
        return values if len(path) <= len(self.segments) else None


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A target and what reaches it; no methods means all of them."""

    route: Route
    methods: frozenset[str]
    target: T


@dataclass(frozen=True)
class Found(Generic[T]):
    target: T
    values: dict[str, str]


@dataclass(frozen=True)
class WrongMethod:
    """The path is known, the method is not."""

    allowed: tuple[str, ...]


class RouteTable(Generic[T]):
    def __init__(self, entries: Iterable[Entry[T]]) -> None:
        self._entries = sorted(entries, key=lambda entry: entry.route.precedence)

    def find(self, method: str, path: str) -> Found[T] | WrongMethod | None:
        """`path` as it came on the wire, without the query."""
        allowed: set[str] = set()
        segments = _decode(path)
        for entry in self._entries:
            values = entry.route.match(segments)
            if values is None:
                continue
            if not entry.methods or method in entry.methods:
                return Found(entry.target, values)
            allowed |= entry.methods
        return WrongMethod(tuple(sorted(allowed))) if allowed else None


def _decode(path: str) -> list[str]:
    segments = path.removeprefix("/").split("/")
    if segments[-1] == "":
        segments.pop()
    # As in Kestrel an encoded slash stays encoded: it is data, not a separator.
    return [unquote(re.sub("%2f", "%252F", segment, flags=re.IGNORECASE)) for segment in segments]


def _split(template: str) -> Iterator[str]:
    """Cut at slashes that stand outside braces: a regex may contain one."""
    depth, start = 0, 0
    for index, character in enumerate(template):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "/" and depth == 0:
            yield template[start:index]
            start = index + 1
    if depth:
        raise CannotStart(f'The route "{template}" has unbalanced braces: correct it in its function.')
    yield template[start:]


def _segment(text: str, template: str) -> _Segment:
    parts: list[str | _Parameter] = []
    pattern, index = "", 0
    while index < len(text):
        if text[index] == "{":
            end = _closing(text, index)
            parts.append(_parameter(text[index + 1 : end], template))
            pattern += "(.+)"
            index = end + 1
        else:
            end = text.find("{", index)
            end = len(text) if end < 0 else end
            parts.append(text[index:end])
            pattern += re.escape(text[index:end])
            index = end
    if not parts:
        raise CannotStart(f'The route "{template}" has an empty segment: correct it in its function.')
    return _Segment(tuple(parts), re.compile(pattern, re.IGNORECASE | re.DOTALL))


def _closing(text: str, opening: int) -> int:
    depth = 0
    for index in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    raise AssertionError("braces are balanced: _split has checked")


def _parameter(text: str, template: str) -> _Parameter:
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise CannotStart(f'The route "{template}" has a parameter that cannot be read: correct it in its function.')
    constraints = _CONSTRAINT.findall(found["constraints"])
    unknown = [name for name, _ in constraints if name not in _CONSTRAINTS]
    if unknown:
        raise CannotStart(f'The route "{template}" has a constraint that the local host does not know: {unknown[0]}.')
    return _Parameter(
        name=found["name"],
        constraints=tuple(_CONSTRAINTS[name](argument) for name, argument in constraints),
        optional=bool(found["optional"]),
        catch_all=bool(found["star"]),
        default=found["default"],
    )
