"""What runs on GitHub: with the least rights, on actions that cannot change under us, nothing untrusted in a shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from tests.service import REPOSITORY
from tools.package import PYTHON

WORKFLOWS: Final = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
WRITES: Final = {
    ("deploy.yml", "deploy"): {"contents": "read", "id-token": "write"},
    ("release.yml", "build"): {"contents": "read"},
    ("release.yml", "publish"): {"contents": "write"},
}
"""Every job's own rights; the others have their workflow's."""

UNTRUSTED: Final = re.compile(r"\$\{\{\s*(?:github\.(?:event|head_ref|ref)|inputs\.)")


def parsed(file: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    found: dict[str, Any] = {("on" if key is True else key): value for key, value in _load(file).items()}
    return found


def _load(file: Path) -> dict[Any, Any]:
    loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def steps(file: Path) -> Iterator[dict[str, Any]]:
    for job in parsed(file)["jobs"].values():
        yield from job["steps"]


def test_there_are_four() -> None:
    assert [file.name for file in WORKFLOWS] == ["api-versions.yml", "ci.yml", "deploy.yml", "release.yml"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_has_no_right_to_write(file: Path) -> None:
    assert parsed(file)["permissions"] in ({}, {"contents": "read"})


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_job_has_the_rights_that_it_needs_and_no_other(file: Path) -> None:
    for name, job in parsed(file)["jobs"].items():
        assert job.get("permissions") == WRITES.get((file.name, name)), name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit_with_their_version_beside(file: Path) -> None:
    for line in file.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\s*(?:- )?uses: (.+)", line):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+(\.\d+)*", found[1]), line


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_one_action_has_one_commit_everywhere(file: Path) -> None:
    every = {step["uses"] for one in WORKFLOWS for step in steps(one) if "uses" in step}
    names = [use.split("@")[0] for use in every]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_nothing_that_somebody_else_chose_stands_in_a_script(file: Path) -> None:
    for step in steps(file):
        assert not UNTRUSTED.search(step.get("run", "")), step


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_checkout_leaves_no_token_behind(file: Path) -> None:
    for step in steps(file):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_job_ends_in_time(file: Path) -> None:
    for name, job in parsed(file)["jobs"].items():
        assert 0 < job["timeout-minutes"] <= 60, name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_workflow_runs_a_strangers_code_with_rights(file: Path) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(parsed(file)["on"])
    assert "secrets." not in file.read_text(encoding="utf-8")


def test_the_tests_run_on_the_python_of_the_deployment() -> None:
    ci = parsed(REPOSITORY / ".github/workflows/ci.yml")
    assert PYTHON in ci["jobs"]["test"]["strategy"]["matrix"]["python"]
    for file in WORKFLOWS:
        for step in steps(file):
            if "setup-python" in step.get("uses", "") and "matrix" not in str(step["with"]):
                assert step["with"]["python-version"] == PYTHON


def test_ci_compiles_audits_and_lists_what_is_deployed() -> None:
    ci = parsed(REPOSITORY / ".github/workflows/ci.yml")
    said = "\n".join(str(step.get("run", "")) for job in ci["jobs"].values() for step in job["steps"])
    for part in (
        ".ci/run",
        "az bicep install --version v",
        "dev.py package",
        "pip-audit",
        "cyclonedx-py",
    ):
        assert part in said


def test_a_release_comes_with_its_bill_of_materials() -> None:
    text = (REPOSITORY / ".github/workflows/release.yml").read_text(encoding="utf-8")
    made, published = text.split("  publish:")
    assert "cyclonedx-py environment" in made
    assert "sha256sum timbre-*.zip timbre.cdx.json > SHA256SUMS" in made
    assert "timbre-*.zip timbre.cdx.json SHA256SUMS" in published


def test_a_deployment_waits_until_the_service_is_ready() -> None:
    (job,) = parsed(REPOSITORY / ".github/workflows/deploy.yml")["jobs"].values()
    assert job["environment"] == "${{ inputs.environment }}"
    assert "/health/ready" in job["steps"][-1]["run"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_deployment_from_github_makes_the_choices_again(tmp_path: Path) -> None:
    """The step itself, with an azd that writes down what it is told."""
    (job,) = parsed(REPOSITORY / ".github/workflows/deploy.yml")["jobs"].values()
    (step,) = [one for one in job["steps"] if "CHOICES" in one.get("env", {})]
    assert step["env"] == {"CHOICES": "${{ vars.CHOICES }}"}
    azd = tmp_path / "azd"
    azd.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {tmp_path}/said\n')
    azd.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "AZURE_ENV_NAME": "prod",
        "AZURE_LOCATION": "here",
        "AZURE_SUBSCRIPTION_ID": "0",
        "CHOICES": "# ours\r\nVNET_ENABLED=true\r\n\r\nALERT_EMAIL=a+b=c@example.com",
    }
    command = ["bash", "-eo", "pipefail", "-c", step["run"]]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    new = "env|new|prod|--location|here|--subscription|0|--no-prompt|"
    choices = "env|set|VNET_ENABLED|true|env|set|ALERT_EMAIL|a+b=c@example.com|"
    assert (tmp_path / "said").read_text() == new + choices
    wrong = subprocess.run(
        command, env={**environment, "CHOICES": "vnet on"}, cwd=tmp_path, capture_output=True, check=False
    )
    assert wrong.returncode == 1
    none = subprocess.run(command, env={**environment, "CHOICES": ""}, cwd=tmp_path, capture_output=True, check=False)
    assert none.returncode == 0
