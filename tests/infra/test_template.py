"""The compiler and its linter have nothing to say about ``infra/``, and nothing in it is out of their sight."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from tests.infra.choices import EVERYTHING, SETS
from tests.infra.compiler import Compiler, CompilerRefuses
from tests.infra.template import INFRA, Choices, Infra
from tests.service import REPOSITORY

FILES: Final = sorted(path.relative_to(INFRA).as_posix() for path in INFRA.rglob("*.bicep"))
OFF: Final = {"use-description-vars", "use-recent-api-versions"}


def test_the_compiler_and_its_linter_are_silent(infra: Infra) -> None:
    assert infra.compiled.diagnostics == ()


def test_every_rule_of_the_linter_is_an_error() -> None:
    rules = dict(re.findall(r'"([\w-]+)": \{ "level": "(\w+)" \}', (INFRA / "bicepconfig.json").read_text()))
    assert len(rules) >= 54
    assert {name for name, level in rules.items() if level != "error"} == OFF


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_formatted(file: str, compiler: Compiler) -> None:
    path = INFRA / file
    assert path.read_text(encoding="utf-8") == compiler.format(path)


def test_the_linter_stops_a_deployment(compiler: Compiler, tmp_path: Path) -> None:
    """Its rules are errors: `azd provision` compiles, and would go on after a warning."""
    changed = _changed(tmp_path / "infra", "  name: name\n", "  name: 'name'\n")
    with pytest.raises(CompilerRefuses, match="BCP104"):
        Infra(changed, compiler, tmp_path).predicted({})


def test_every_file_is_used(compiler: Compiler) -> None:
    apart = {INFRA / name for name in ("README.md", "main.parameters.json", "production.env")}
    files = {path for path in INFRA.rglob("*") if path.is_file()}
    assert compiler.files_of(INFRA / "main.bicep") == files - apart


def test_together_the_choices_make_every_resource(infra: Infra) -> None:
    """Else a promise about all predictions would not be about all that is written down."""
    made = {resource.type for choices in SETS.values() for resource in infra.predicted(choices).resources}
    assert made == infra.declared_types()


def test_everything_is_another_choice_in_every_parameter(infra: Infra) -> None:
    others = {"publicUrl", "environmentName", "location"}  # a promise of its own; asked for in every set
    defaults = {name: parameter.get("defaultValue") for name, parameter in infra.template["parameters"].items()}
    defaults["logVoiceAccess"] = False  # the default is everything
    assert set(EVERYTHING) | others | {"logVoiceAccess"} == set(defaults)
    assert not [name for name, value in EVERYTHING.items() if value == defaults[name]]


@pytest.mark.parametrize(
    "choices", [{"instanceMemoryMB": 1024}, {"voiceStorageRedundancy": "Premium_LRS"}, {"unknown": True}]
)
def test_a_choice_that_is_none_is_refused(choices: Choices, infra: Infra) -> None:
    with pytest.raises(CompilerRefuses):
        infra.predicted(choices)


def test_a_kind_of_resource_has_one_api_version() -> None:
    code = "".join((INFRA / file).read_text(encoding="utf-8") for file in FILES)
    versions = set(re.findall(r"'(Microsoft\.\w+/\w+)[\w/]*@([\w-]+)'", code))
    assert len(versions) == len({kind for kind, _ in versions}), sorted(versions)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_weekly_workflow_finds_an_old_api_version(compiler: Compiler, tmp_path: Path) -> None:
    """Its own line turns the rule on. That nothing is old today is the workflow's to say, not this test's."""
    changed = _changed(tmp_path / "infra", "@2024-11-30", "@2018-11-30")
    shutil.copytree(changed, tmp_path / "without")  # the compiler reads a folder's configuration once
    assert compiler.compile(tmp_path / "without" / "modules" / "identity.bicep").diagnostics == ()
    workflow: dict[str, Any] = yaml.safe_load((REPOSITORY / ".github/workflows/api-versions.yml").read_text())
    (turn_on,) = [step["run"] for step in workflow["jobs"]["recent"]["steps"] if "sed" in step.get("run", "")]
    subprocess.run(["bash", "-ec", turn_on], cwd=tmp_path, check=True)
    (diagnostic,) = compiler.compile(changed / "modules" / "identity.bicep").diagnostics
    assert "use-recent-api-versions" in diagnostic


def _changed(copy: Path, old: str, new: str) -> Path:
    """A copy of ``infra/`` with a text of the module of the identity replaced."""
    shutil.copytree(INFRA, copy)
    module = copy / "modules" / "identity.bicep"
    text = module.read_text(encoding="utf-8")
    assert old in text
    module.write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy
