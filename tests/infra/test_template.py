"""The compiler has nothing to say about ``infra/``, and sees what is wrong with it when something is."""

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
from tests.infra.template import INFRA, Choices, Infra, replace
from tests.service import REPOSITORY

FILES: Final = sorted(path.relative_to(INFRA).as_posix() for path in INFRA.rglob("*.bicep"))

ACCEPTED: Final = {
    "Microsoft.ApiManagement": "2024-05-01",
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Consumption": "2026-06-01",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/scheduledQueryRules": "2026-03-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault": "2026-05-15",
    "Microsoft.ManagedIdentity": "2024-11-30",
    "Microsoft.Network/networkSecurityGroups": "2026-03-01",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2026-03-01",
    "Microsoft.Network/virtualNetworks": "2026-03-01",
    "Microsoft.OperationalInsights": "2026-03-01",
    "Microsoft.Resources": "2025-04-01",
    "Microsoft.Storage": "2026-04-01",
    "Microsoft.Web": "2025-03-01",
}
"""Resource provider, or its type, and the version of its API. On 2026-11-29 each was stable (but for the log of a
resource, whose stable version is of 2016), no older than the rule use-recent-api-versions allows, and half a year old
where the compiler knew several. The workflow api-versions.yml says when one is due."""

MISTAKES: Final = [
    ("modules/identity.bicep", "@description('Azure region.')\n", "", "use-description-params"),
    ("modules/identity.bicep", "@description('Resource id.')\n", "", "use-description-outputs"),
    ("modules/identity.bicep", "  name: name\n", "  name: 'name'\n", "no-unused-params"),
    ("modules/identity.bicep", "  location: location\n", "  location: 'westeurope'\n", "no-hardcoded-location"),
    ("modules/identity.bicep", "param tags { *: string }", "param tags object", "use-user-defined-types"),
    ("modules/network.bicep", "virtualNetworks@", "virtualNetwork@", "BCP081"),
    ("modules/budget.bicep", "amount: monthlyAmount", "amounts: monthlyAmount", "BCP089"),
    ("modules/budget.bicep", "budgets@2026-06-01", "budgets@2026-06-31", "BCP081"),
    ("modules/function-app.bicep", "      #disable-next-line BCP037\n", "", "BCP037"),
    ("modules/roles.bicep", "principalId: identity.properties", "principalId: identities.properties", "BCP057"),
    ("modules/private-endpoints.bicep", "resourceId(endpoint.type, endpoint.target)", "endpoint.target",
     "use-resource-id-functions"),
    ("main.bicep", "    sku: keyVaultSku\n", "", "BCP035"),
    ("main.bicep", "keyVault.outputs.keyUri", "keyVault.outputs.keyUrl", "BCP083"),
    ("main.bicep", "network.?outputs.networkId", "network.outputs.networkId", "BCP318"),
    ("main.bicep", "  scope: group\n", "  name: 'monitoring'\n  scope: group\n", "no-module-name"),
    ("main.bicep", "identityName: identityName", "identityName: identity.outputs.clientId", "what-if-short-circuiting"),
]  # fmt: skip
"""File, text, text in its place, and what the compiler calls it."""


def test_the_compiler_and_its_linter_are_silent(infra: Infra) -> None:
    assert infra.compiled.diagnostics == ()


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_formatted(file: str, compiler: Compiler) -> None:
    path = INFRA / file
    assert path.read_text(encoding="utf-8") == compiler.format(path)


@pytest.mark.parametrize(("file", "old", "new", "code"), MISTAKES)
def test_a_mistake_is_seen(file: str, old: str, new: str, code: str, compiler: Compiler, tmp_path: Path) -> None:
    folder = tmp_path / "infra"
    shutil.copytree(INFRA, folder)
    replace(folder, file, old, new)
    diagnostics = compiler.compile(folder / file).diagnostics
    assert code in {diagnostic.split()[1].rstrip(":") for diagnostic in diagnostics}


def test_the_linter_stops_a_deployment(compiler: Compiler, tmp_path: Path) -> None:
    """Its rules are errors: `azd provision` compiles, and would go on after a warning."""
    folder = tmp_path / "infra"
    shutil.copytree(INFRA, folder)
    replace(folder, "modules/identity.bicep", "  name: name\n", "  name: 'name'\n")
    with pytest.raises(CompilerRefuses, match="BCP104"):
        Infra(folder, compiler, tmp_path).predicted({})


def test_every_file_is_used(compiler: Compiler) -> None:
    beside = {INFRA / "README.md", INFRA / "main.parameters.json"}
    there = {path for path in INFRA.rglob("*") if path.is_file()}
    assert compiler.files_of(INFRA / "main.bicep") == there - beside


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


def test_api_versions_are_those_that_were_accepted() -> None:
    used = set()
    for file in FILES:
        for kind, version in re.findall(r"'(Microsoft\.[\w./]+)@([\w-]+)'", (INFRA / file).read_text(encoding="utf-8")):
            provider, first = kind.split("/")[:2]
            accepted = provider if provider in ACCEPTED else f"{provider}/{first}"
            assert version == ACCEPTED.get(accepted), f"{file}: {kind}@{version}"
            used.add(accepted)
    assert used == set(ACCEPTED)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_weekly_workflow_finds_an_old_api_version(compiler: Compiler, tmp_path: Path) -> None:
    """Its own line turns the rule on. That nothing is old today is the workflow's to say, not this test's."""
    shutil.copytree(INFRA, tmp_path / "infra")
    replace(tmp_path / "infra", "modules/identity.bicep", "@2024-11-30", "@2018-11-30")
    shutil.copytree(tmp_path / "infra", tmp_path / "without")  # the compiler reads a folder's configuration once
    assert compiler.compile(tmp_path / "without" / "modules" / "identity.bicep").diagnostics == ()
    workflow: dict[str, Any] = yaml.safe_load((REPOSITORY / ".github/workflows/api-versions.yml").read_text())
    (turn_on,) = [step["run"] for step in workflow["jobs"]["recent"]["steps"] if "sed" in step.get("run", "")]
    subprocess.run(["bash", "-ec", turn_on], cwd=tmp_path, check=True)
    (found,) = compiler.compile(tmp_path / "infra" / "modules" / "identity.bicep").diagnostics
    assert "use-recent-api-versions" in found
