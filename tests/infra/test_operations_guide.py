"""The operations guide names commands, settings, alerts and log lines that exist, and its snippets are shell."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.infra.bicep import INFRA
from tests.infra.test_queries import emitted
from tests.service import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
WATCH = GUIDE.split("## Watch")[1].split("## Incidents")[0]


def test_the_log_lines_it_explains_are_written() -> None:
    named = [event for cell in re.findall(r"^\| (`\w+`.*?) \|", WATCH, re.MULTILINE) for event in cell.split("`")[1::2]]
    assert len(named) >= 8
    assert set(named) <= set(emitted())


def test_the_alerts_it_names_are_all_there_are() -> None:
    rules = re.findall(r"name: '([a-z-]+)'\s+displayName:", (INFRA / "modules" / "alerts.bicep").read_text())
    sentence = WATCH.split("alerts:")[1].split("\n")[0]
    assert sorted(re.findall(r"`([a-z-]+)`", sentence)) == sorted(rules)


def test_the_variables_it_sets_are_parameters() -> None:
    parameters = (INFRA / "main.parameters.json").read_text(encoding="utf-8")
    for name in re.findall(r"azd env set ([A-Z_]+)", GUIDE):
        assert f"${{{name}" in parameters, name


def test_the_outputs_it_uses_are_given() -> None:
    outputs = set(re.findall(r"^output (\w+)", (INFRA / "main.bicep").read_text(encoding="utf-8"), re.MULTILINE))
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


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", GUIDE):
        assert (REPOSITORY / "docs" / link).exists(), link
