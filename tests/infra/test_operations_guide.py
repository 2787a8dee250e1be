"""The pages for operators name commands, settings, alerts and log lines that exist, and their snippets are shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.infra.choices import PRODUCTION
from tests.infra.template import INFRA, Infra
from tests.infra.test_queries import emitted
from tests.service import REPOSITORY
from tools.capacity import ALERT_RULES, DNS_ZONES, PRIVATE_ENDPOINTS, Measures, Prices, production

PAGES = {
    name: (REPOSITORY / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("operations", "incidents", "cost")
}
GUIDE = "\n".join(PAGES.values())
MAIN = (INFRA / "main.bicep").read_text(encoding="utf-8")
WATCH = PAGES["incidents"].split("## Watch")[1].split("\n## ")[0]


def test_the_log_lines_it_explains_are_written() -> None:
    named = [event for cell in re.findall(r"^\| (`\w+`.*?) \|", WATCH, re.MULTILINE) for event in cell.split("`")[1::2]]
    assert len(named) >= 8
    assert set(named) <= set(emitted())


def test_the_alerts_it_names_are_all_there_are() -> None:
    rules = re.findall(r"name: '([a-z-]+)'\s+displayName:", (INFRA / "modules" / "alerts.bicep").read_text())
    sentence = WATCH.split("alerts:")[1].split("\n\n")[0]
    assert sorted(re.findall(r"`([a-z-]+)`", sentence)) == sorted(rules)


def test_the_variables_it_sets_are_parameters() -> None:
    parameters = (INFRA / "main.parameters.json").read_text(encoding="utf-8")
    for name in re.findall(r"azd env set ([A-Z_]+)", GUIDE):
        assert f"${{{name}" in parameters, name


def test_the_outputs_it_uses_are_given() -> None:
    outputs = set(re.findall(r"^output (\w+)", MAIN, re.MULTILINE))
    outputs |= {"AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME"}  # azd's own
    used = set(re.findall(r"\$((?:AZURE|TIMBRE|VOICE|KEY)_[A-Z_]+[A-Z])\b", GUIDE))
    assert len(used) >= 5
    assert used <= outputs


def test_the_tools_it_calls_exist() -> None:
    called = set(re.findall(r"python -m (tools\.\w+)", GUIDE))
    assert {"tools.rewrap_keys", "tools.audit_orphans", "tools.capacity"} <= called
    for module in called:
        assert (REPOSITORY / (module.replace(".", "/") + ".py")).is_file(), module


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_its_snippets_are_shell() -> None:
    snippets = re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    assert len(snippets) >= 4
    for snippet in snippets:
        ended = subprocess.run(["bash", "-n"], input=snippet, capture_output=True, text=True, check=False)
        assert ended.stderr == "", snippet


def test_the_key_and_the_roles_it_names_are_those_of_the_deployment() -> None:
    key = re.search(r"var keyName = '([\w-]+)'", MAIN)
    assert key is not None
    names = set(re.findall(r"--name (key-[a-z]+)|/keys/(key-[a-z]+)", GUIDE))
    assert {first or second for first, second in names} == {key[1]}
    roles = (INFRA / "modules" / "roles.bicep").read_text(encoding="utf-8")
    for role in re.findall(r'--role "([^"$]+)"', GUIDE):
        words = role.replace("Storage ", "").replace(" ", "")
        assert f"var {words[0].lower()}{words[1:]} =" in roles, role


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_deployer_may_grant_the_apps_roles_to_the_app_alone(infra: Infra, tmp_path: Path) -> None:
    """The guide's own lines, with an az that writes down what it is told."""
    calls = tmp_path / "calls"
    tools = f"""
        az() {{ case "$1 $2" in
            "role assignment") printf '%s|' "$@" >> {calls}; echo >> {calls} ;;
            "identity list") echo the-app ;;
            *) echo the-deployer ;;
        esac; }}
        gh() {{ :; }}
        AZURE_SUBSCRIPTION_ID=sub AZURE_RESOURCE_GROUP=rg
    """
    (snippet,) = re.findall(
        r"```bash\n(.*?)```", PAGES["operations"].split("### From GitHub")[1].split("\n## ")[0], re.DOTALL
    )
    subprocess.run(["bash", "-ec", tools + snippet], check=True)
    contributor, administrator = (line.split("|") for line in calls.read_text(encoding="utf-8").splitlines())
    assert _option(contributor, "--role") == "Contributor"
    assert _option(administrator, "--role") == "Role Based Access Control Administrator"
    assert _option(administrator, "--scope") == "/subscriptions/sub/resourceGroups/rg"
    assigned = infra.predicted({}).of_type("Authorization/roleAssignments")
    roles = {assignment.at("properties.roleDefinitionId").rsplit("/", 1)[1] for assignment in assigned}
    what = r"Microsoft.Authorization/roleAssignments"
    is_among = r"ForAnyOfAnyValues:GuidEquals \{(.*?)\}"
    rule = re.compile(
        rf"\(\(!\(ActionMatches\{{'{what}/(\w+)'\}}\)\)"
        rf" OR \(@(\w+)\[{what}:RoleDefinitionId\] {is_among} AND @(\w+)\[{what}:PrincipalId\] {is_among}\)\)"
    )
    condition = _option(administrator, "--condition")
    found = [
        (action, {role_of, to_of}, set(ids.split(", ")), to)
        for action, role_of, ids, to_of, to in rule.findall(condition)
    ]
    assert found == [("write", {"Request"}, roles, "the-app"), ("delete", {"Resource"}, roles, "the-app")]
    assert rule.sub("", condition) == " AND "


def _option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1]


def test_the_update_strategies_it_names_are_allowed() -> None:
    allowed = MAIN.split("param updateStrategy")[0].rsplit("@allowed", 1)[1]
    for name in re.findall(r"azd env set UPDATE_STRATEGY (\w+)", GUIDE):
        assert f"'{name}'" in allowed, name


def test_its_prices_are_the_tools_inputs() -> None:
    table = GUIDE.split("| input | where | taken here |")[1].split("\n\n")[0]
    said: dict[str, str] = {}
    for row in table.strip().splitlines()[1:]:
        names, _, values = (cell.strip() for cell in row.strip("| ").split(" | "))
        numbers = re.findall(r"\d[\d,]*(?:\.\d+)?", values.replace(", ", " "))
        said |= dict(zip(re.findall(r"`(\w+)`", names), numbers, strict=True))
    assert {name: float(value.replace(",", "")) for name, value in said.items()} == asdict(Prices())


def test_the_guide_names_what_production_costs() -> None:
    total = sum(count * price for _, count, price in production(Prices(), Measures()))
    assert f"[about {total:.0f} dollars a month more](cost.md#production)" in PAGES["operations"]


def test_what_costs_by_the_piece_is_counted_as_it_is_made(infra: Infra) -> None:
    made = infra.predicted(PRODUCTION)
    counts = {"Network/privateEndpoints": PRIVATE_ENDPOINTS, "Network/privateDnsZones": DNS_ZONES}
    counts |= {"Insights/scheduledQueryRules": ALERT_RULES}
    assert {type: len(made.of_type(type)) for type in counts} == counts
    assert f"**Alerts** = {ALERT_RULES} rules" in PAGES["cost"]
