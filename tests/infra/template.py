"""The template of ``infra/``: what the compiler makes of it, and what a deployment of it would make."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tests.infra.compiler import Compiled, Compiler, CompilerRefuses
from tests.service import REPOSITORY

INFRA: Final = REPOSITORY / "infra"

Choices = Mapping[str, bool | int | str | list[str]]
"""Parameters of ``main.bicep`` that are not left at their default."""

ASKED_FOR: Final = {"environmentName": "test", "location": "westeurope"}
"""Parameters without a default."""

NO_LINTER: Final = '{ "analyzers": { "core": { "enabled": false } } }'


@dataclass(frozen=True)
class Resource:
    """A resource as Resource Manager would get it."""

    id: str
    type: str
    api_version: str
    body: Mapping[str, Any]

    def at(self, *path: str) -> Any:
        """The value at a path of property names; None where there is none."""
        value: Any = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True)
class Prediction:
    """What a deployment would make. What only Azure knows is an expression: ``[reference('<id>', ...).clientId]``."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]

    def of_type(self, wanted: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == wanted]

    def only(self, wanted: str) -> Resource:
        """The one resource of a type. Raises ``AssertionError`` when there are none or several."""
        resources = self.of_type(wanted)
        assert len(resources) == 1, f"{len(resources)} of {wanted}"
        return resources[0]

    def with_id(self, wanted: str) -> Resource:
        resources = [resource for resource in self.resources if resource.id == wanted]
        assert len(resources) == 1, f"{len(resources)} with id {wanted}"
        return resources[0]


class Infra:
    """A folder like ``infra/``. Whatever the compiler is asked about it is asked once."""

    def __init__(self, folder: Path, compiler: Compiler, scratch: Path) -> None:
        self.folder = folder
        self._compiler = compiler
        self._scratch = scratch
        self._predictions: dict[str, Prediction] = {}

    @cached_property
    def compiled(self) -> Compiled:
        return self._compiler.compile(self.folder / "main.bicep")

    @cached_property
    def template(self) -> dict[str, Any]:
        """For Resource Manager, modules included. Raises ``CompilerRefuses``."""
        if not self.compiled.template:
            raise CompilerRefuses("\n".join(self.compiled.diagnostics))
        template: dict[str, Any] = json.loads(self.compiled.template)
        return template

    def predicted(self, choices: Choices) -> Prediction:
        """Raises ``CompilerRefuses`` when a choice is not allowed, or the template does not compile."""
        key = json.dumps(choices, sort_keys=True)
        if key not in self._predictions:
            # From the compiled template: ten times as fast as from the Bicep files, and the same.
            (self._scratch / "main.json").write_text(json.dumps(self.template), encoding="utf-8")
            parameters = self._scratch / f"{len(self._predictions)}.bicepparam"
            given = {**ASKED_FOR, **choices}
            lines = ["using 'main.json'", *(f"param {name} = {_literal(value)}" for name, value in given.items())]
            parameters.write_text("\n".join(lines), encoding="utf-8")
            self._predictions[key] = _prediction(self._compiler.snapshot(parameters))
        return self._predictions[key]

    def declared_types(self) -> set[str]:
        """Types of the resources that are written down, whatever their conditions say."""
        return {type for type in _declared(self.template) if type != "Microsoft.Resources/deployments"}

    def waits_for(self, module: str) -> set[str]:
        """Symbolic names of the modules that a module of ``main.bicep`` is deployed after."""
        return set(self.template["resources"][module]["dependsOn"])


def copy_with_compiled_modules(folder: Path, compiler: Compiler) -> None:
    """A copy of ``infra/`` to change one file of: Bicep takes a compiled template for a module, and that saves most of
    the time. The linter is off: promises judge a changed copy, and a parameter that it does not use is no matter."""
    shutil.copytree(INFRA, folder)
    (folder / "bicepconfig.json").write_text(NO_LINTER, encoding="utf-8")
    for module in (folder / "modules").glob("*.bicep"):
        module.with_suffix(".json").write_text(compiler.compile(module).template, encoding="utf-8")


def replace(folder: Path, file: str, old: str, new: str) -> None:
    """Replaces a text in the first place where it stands in a file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, "there is nothing to replace"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def change(folder: Path, file: str, old: str, new: str) -> None:
    """``replace`` in such a copy; modules that the file is, or is part of, are compiled anew."""
    replace(folder, file, old, new)
    path = folder / file
    main = folder / "main.bicep"

    def module(reference: re.Match[str]) -> str:
        source = folder / "modules" / f"{reference[1]}.bicep"
        is_changed = source == path or path.name in source.read_text(encoding="utf-8")
        return reference[0] if is_changed else f"'modules/{reference[1]}.json'"

    main.write_text(re.sub(r"'modules/([\w-]+)\.bicep'", module, main.read_text(encoding="utf-8")), encoding="utf-8")


def _prediction(snapshot: Mapping[str, Any]) -> Prediction:
    if snapshot["diagnostics"]:
        raise CompilerRefuses(str(snapshot["diagnostics"]))
    resources = (
        Resource(body["id"], body["type"], body["apiVersion"], body) for body in snapshot["predictedResources"]
    )
    return Prediction(tuple(resources), snapshot["outputs"])


def _declared(template: Mapping[str, Any]) -> Iterator[str]:
    resources = template["resources"]
    for resource in resources.values() if isinstance(resources, dict) else resources:
        if not resource.get("existing"):
            yield resource["type"]
            yield from _declared(resource.get("properties", {}).get("template", {"resources": []}))


def _literal(value: bool | int | str | list[str]) -> str:
    """A value as Bicep writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()
