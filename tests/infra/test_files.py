"""The Bicep files fit together: what a compiler would find, as far as it can be found without one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from shared import config
from shared.config import SETTINGS
from tests.infra.bicep import INFRA, BicepFile, Infra, described, load, without_comments
from tests.service import REPOSITORY

AZD: Final = {"environmentName": "${AZURE_ENV_NAME}", "location": "${AZURE_LOCATION}"}
"""What azd asks for; it has no default."""

BY_HAND: Final = {"allowedAddressRanges"}
"""Lists cannot come from azd's environment: put them into main.parameters.json."""

AZD_OUTPUTS: Final = re.compile(r"[A-Z][A-Z_]*")

LOCAL_HOST_SETTINGS: Final = {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME", "PYTHON_THREADPOOL_THREAD_COUNT"}
LOCAL_MANAGEMENT_KEY: Final = "TIMBRE_LOCAL_MANAGEMENT_KEY"

LOOKED_UP: Final = {
    "Microsoft.ApiManagement": "2024-05-01",
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Consumption": "2023-11-01",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault": "2023-07-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Network/networkSecurityGroups": "2023-11-01",
    "Microsoft.Network/privateDnsZones": "2020-06-01",
    "Microsoft.Network/privateEndpoints": "2023-11-01",
    "Microsoft.Network/virtualNetworks": "2023-11-01",
    "Microsoft.OperationalInsights": "2023-09-01",
    "Microsoft.Resources": "2021-04-01",
    "Microsoft.Storage": "2023-05-01",
    "Microsoft.Web": "2024-11-01",
}
"""API versions that are in use with these types, by public templates and reference pages (2026-11-22). Without a kind:
all of its types here. Another version has to be looked up; the compiler, which knows, runs in CI only."""

NOT_CONSERVATIVE: Final = {
    "object spread": r"\.\.\.",
    "safe access": r"\.\?|\?\?|![.\[]",
    "import": r"(?m)^import ",
    "user-defined function": r"(?m)^func ",
    "user-defined type": r"(?m)^type ",
    "typed array": r"(?m)^(param|output) \w+ \w+\[\]",
    "nullable": r"(?m)^(param|output) \w+ \w+\?",
    "object type": r"(?m)^param \w+ \{",
    "filtered loop": r"\[for [^\]]*: if",
    "registry module": r"'br[:/]",
    "lambda": r"=>",
    "assertion": r"(?m)^assert ",
}
"""What pycep 0.7.1, or the older one inside checkov, cannot read (and a registry module cannot be checked here)."""


def test_nothing_but_conservative_syntax() -> None:
    for file in load().files.values():
        for what, pattern in NOT_CONSERVATIVE.items():
            assert not re.search(pattern, without_comments(file.text)), f"{file.name}: {what}"


def every_parameter_and_output_is_described(infra: Infra) -> None:
    for file in infra.files.values():
        for name, one in [*file.parameters.items(), *file.outputs.items()]:
            text = described(one)
            assert len(text) > 4, f"{file.name}: {name}"
            assert text[0].isupper(), f"{file.name}: {name}"
            assert text[-1] == ".", f"{file.name}: {name}"


def modules_get_the_parameters_that_they_have(infra: Infra) -> None:
    for name, module in infra.main.modules.items():
        wanted = infra.files[module.type].parameters
        required = {one for one, details in wanted.items() if details["default"] is None}
        given = set(module.at("params"))
        assert required <= given, f"{name} lacks {required - given}"
        assert given <= set(wanted), f"{name} does not know {given - set(wanted)}"


def every_module_is_used(infra: Infra) -> None:
    used = {module.type for module in infra.main.modules.values()}
    assert used == set(infra.files) - {"main.bicep"}


def outputs_exist_and_are_used(infra: Infra) -> None:
    modules = infra.main.modules
    used = set(re.findall(r"\b(\w+)\.outputs\.(\w+)", without_comments(infra.main.text)))
    made = {(name, output) for name, module in modules.items() for output in infra.files[module.type].outputs}
    assert used <= made, f"not there: {used - made}"
    assert made <= used, f"nobody reads: {made - used}"


def parameters_and_variables_are_used(infra: Infra) -> None:
    for file in infra.files.values():
        code = re.sub(r"(?m)^(param|var|output) \w+", "", _code(file))
        code = re.sub(r"(?m)^\s*\w+:", "", code)  # names of properties
        used = set(re.findall(r"(?<![\w.])[A-Za-z]\w*", code))
        declared = {*file.parameters, *file.variables}
        assert declared <= used, f"{file.name}: {declared - used}"


def names_are_known(infra: Infra) -> None:
    """What stands before a dot is declared in the file, or belongs to the language."""
    for file in infra.files.values():
        code = _code(file)
        loops = {one for pair in re.findall(r"\[for (?:\((\w+), (\w+)\)|(\w+)) in", code) for one in pair if one}
        known = {*file.parameters, *file.variables, *file.resources, *file.modules, *loops}
        for owner in re.findall(r"(?<![\w.)\]])([A-Za-z]\w*)[.\[]", code):
            assert owner in known, f"{file.name}: {owner}"


def resources_carry_the_tags(infra: Infra) -> None:
    for one in infra.created():
        if one.at("location") is not None and one.name != "group":
            assert "tags" in str(one.at("tags")), one.name


def the_parameter_file_is_complete(infra: Infra) -> None:
    values = json.loads(infra.read("main.parameters.json"))["parameters"]
    assert set(values) == set(infra.main.parameters) - BY_HAND
    for name, one in infra.main.parameters.items():
        if name in BY_HAND:
            continue
        value = values[name]["value"]
        if name in AZD:
            assert value == AZD[name]
            assert one["default"] is None
        else:
            match = re.fullmatch(r"\$\{([A-Z_]+)=(.*)\}", value)
            assert match is not None, name
            default = str(one["default"])
            assert match[2] == (default.lower() if isinstance(one["default"], bool) else default), name


def api_versions_are_those_that_were_looked_up(infra: Infra) -> None:
    for file in infra.files.values():
        for one in file.resources.values():
            provider, kind = one.type.split("/")[:2]
            wanted = LOOKED_UP.get(provider) or LOOKED_UP.get(f"{provider}/{kind}")
            assert one.api_version == wanted, f"{file.name}: {one.type}@{one.api_version}"


CHECKS: Final[list[Callable[[Infra], None]]] = [
    every_parameter_and_output_is_described,
    modules_get_the_parameters_that_they_have,
    every_module_is_used,
    outputs_exist_and_are_used,
    parameters_and_variables_are_used,
    names_are_known,
    resources_carry_the_tags,
    the_parameter_file_is_complete,
    api_versions_are_those_that_were_looked_up,
]

MISTAKES: Final = [
    (every_parameter_and_output_is_described, "modules/identity.bicep", "@description('Azure region.')\n", ""),
    (every_parameter_and_output_is_described, "modules/identity.bicep", "@description('Resource id.')\n", ""),
    (modules_get_the_parameters_that_they_have, "main.bicep", "    sku: keyVaultSku\n", ""),
    (modules_get_the_parameters_that_they_have, "main.bicep", "    sku: keyVaultSku\n", "    sku: 'a'\n    more: 1\n"),
    (modules_get_the_parameters_that_they_have, "modules/budget.bicep", "param email string", "param mail string"),
    (every_module_is_used, "main.bicep", "modules/workbook.bicep", "modules/budget.bicep"),
    (outputs_exist_and_are_used, "main.bicep", "keyVault.outputs.keyUri", "keyVault.outputs.keyUrl"),
    (outputs_exist_and_are_used, "modules/network.bicep", "output networkId", "output netId"),
    (parameters_and_variables_are_used, "modules/identity.bicep", "  name: name\n", "  name: 'name'\n"),
    (parameters_and_variables_are_used, "main.bicep", "    allowedAddressRanges: allowedAddressRanges\n", ""),
    (names_are_known, "modules/function-app.bicep", "serverFarmId: plan.id", "serverFarmId: farm.id"),
    (names_are_known, "modules/network.bicep", "'${network.id}/subnets/app'", "'${net.id}/subnets/app'"),
    (resources_carry_the_tags, "modules/identity.bicep", "  tags: tags\n", ""),
    (the_parameter_file_is_complete, "main.parameters.json", '"keyVaultSku"', '"vaultSku"'),
    (api_versions_are_those_that_were_looked_up, "modules/budget.bicep", "budgets@2023-11-01", "budgets@2023-11-31"),
    (api_versions_are_those_that_were_looked_up, "modules/network.bicep", "virtualNetworks@", "virtualNetwork@"),
    (the_parameter_file_is_complete, "main.parameters.json", "VNET_ENABLED=false", "VNET_ENABLED=true"),
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_fits(check: Callable[[Infra], None]) -> None:
    check(load())


@pytest.mark.parametrize(("check", "file", "old", "new"), MISTAKES)
def test_a_mistake_is_seen(check: Callable[[Infra], None], file: str, old: str, new: str, tmp_path: Path) -> None:
    folder = tmp_path / "infra"
    shutil.copytree(INFRA, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, "the mistake finds nothing to change"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(AssertionError):
        check(load(folder))


def test_every_check_has_seen_a_mistake() -> None:
    assert {mistake[0] for mistake in MISTAKES} == set(CHECKS)


def test_the_outputs_of_main_become_environment_variables() -> None:
    assert all(AZD_OUTPUTS.fullmatch(name) for name in load().main.outputs)


def test_the_sample_of_local_settings_sets_what_the_app_reads_and_nothing_else() -> None:
    values: dict[str, Any] = json.loads((REPOSITORY / "local.settings.sample.json").read_text())["Values"]
    known = {one.name for one in SETTINGS}
    assert set(values) <= known | LOCAL_HOST_SETTINGS | {LOCAL_MANAGEMENT_KEY}
    required = {config.STORAGE.name, config.KEY_ENCRYPTION.name, config.LOCAL_KEY.name}
    assert required <= set(values)


def test_azd_packages_before_it_deploys() -> None:
    text = (REPOSITORY / "azure.yaml").read_text(encoding="utf-8")
    hook = text[text.index("prepackage:") :]
    assert hook.count("dev.py package") == 2  # posix and windows
    assert "remoteBuild: false" in text
    assert "dist: build/package" in text


def test_the_readme_lists_every_choice() -> None:
    text = (INFRA / "README.md").read_text(encoding="utf-8")
    shown = text[text.index("<!-- parameters -->") : text.index("<!-- /parameters -->")]
    assert shown.strip().splitlines()[1:] == list(_choices(load()))


def _choices(infra: Infra) -> Iterator[str]:
    """The table of README.md: what azd's environment can set."""
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, one in json.loads(infra.read("main.parameters.json"))["parameters"].items():
        if name not in AZD:
            variable, default = one["value"].strip("${}").split("=")
            meaning = described(infra.main.parameters[name]).replace("\\'", "'")
            yield f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |"


def _code(file: BicepFile) -> str:
    """The text without comments, and of its strings only what is code: the insides of ``${}``."""
    text = without_comments(file.text).replace("\\'", "")
    return re.sub(r"'[^'\n]*'", lambda string: " ".join(re.findall(r"\$\{([^}]*)\}", string[0])), text)
