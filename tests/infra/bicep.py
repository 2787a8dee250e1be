"""The Bicep files as trees, read by pycep: the compiler cannot be had where these tests run.

pycep's trees do not tell a string from a name (`'x'` and `x` are both ``"x"``), and know no resource schemas: what only
the compiler can find is found by the workflow that runs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from pycep import BicepParser

from tests.service import REPOSITORY

INFRA: Final = REPOSITORY / "infra"
Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource or module: its type (or a module's path), and its body with loop and condition taken off."""

    name: str
    type: str
    api_version: str
    existing: bool
    is_conditional: bool
    body: Tree

    def at(self, *path: str) -> Any:
        """The value at a path of property names; None where there is none."""
        value: Any = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True)
class BicepFile:
    """One file. ``name`` is its path below ``infra/``, with slashes."""

    name: str
    text: str
    tree: Tree

    @property
    def parameters(self) -> Mapping[str, Tree]:
        return dict(self.tree.get("parameters", {}))

    @property
    def outputs(self) -> Mapping[str, Tree]:
        return dict(self.tree.get("outputs", {}))

    @property
    def variables(self) -> Mapping[str, Any]:
        return {name: one["value"] for name, one in self.tree.get("variables", {}).items()}

    @property
    def resources(self) -> Mapping[str, Resource]:
        return {name: _resource(name, one) for name, one in self.tree.get("resources", {}).items()}

    @property
    def modules(self) -> Mapping[str, Resource]:
        return {
            name: _resource(name, {**one, "type": one["detail"]["path"], "api_version": "", "existing": False})
            for name, one in self.tree.get("modules", {}).items()
        }


@dataclass(frozen=True)
class Infra:
    """Everything below a folder like ``infra/``."""

    folder: Path
    files: Mapping[str, BicepFile]

    @property
    def main(self) -> BicepFile:
        return self.files["main.bicep"]

    def resource(self, file: str, name: str) -> Resource:
        return self.files[f"modules/{file}.bicep"].resources[name]

    def of_type(self, wanted: str) -> list[Resource]:
        """Resources that the deployment makes, of a type given in full."""
        return [one for one in self.created() if one.type == wanted]

    def created(self) -> Iterator[Resource]:
        for file in self.files.values():
            yield from (one for one in file.resources.values() if not one.existing)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def load(folder: Path = INFRA) -> Infra:
    """Raises what pycep raises on a file that it cannot read."""
    files = {}
    for path in sorted(folder.rglob("*.bicep")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(folder).as_posix()
        files[name] = BicepFile(name, text, _parsed(text))
    return Infra(folder, files)


def described(one: Tree) -> str:
    """The text of ``@description``; empty without."""
    texts = [item["argument"] for item in one["decorators"] if item["type"] == "description"]
    return str(texts[0]) if texts else ""


def without_comments(text: str) -> str:
    """Good enough for these files: no string in them holds two slashes after a space."""
    return re.sub(r"(?m)(^|\s)//.*$", "", text)


@cache
def _parser() -> BicepParser:
    return BicepParser()


@cache
def _parsed(text: str) -> Tree:
    """Once per text: a test that changes one file does not pay for the others. Nobody writes into a tree."""
    tree: Tree = _parser().parse(text=text)
    return tree


def _resource(name: str, one: Tree) -> Resource:
    body, is_conditional = one["config"], False
    while "config" in body and ("condition" in body or "loop_type" in body):
        is_conditional = is_conditional or bool(body.get("condition"))
        body = body["config"]
    return Resource(name, one["type"], one["api_version"], one["existing"], is_conditional, body)
