"""What runs on GitHub: with the least rights, on actions that cannot change under us, nothing untrusted in a shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from tests.service import REPOSITORY
from tools.package import PYTHON

FOLDER: Final = REPOSITORY / ".github" / "workflows"
TEXTS: Final = {file.name: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.yml"))}
WORKFLOWS: Final[dict[str, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS: Final[dict[str, Any]] = {
    f"{file}/{name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()
}
STEPS: Final[list[dict[str, Any]]] = [step for job in JOBS.values() for step in job["steps"]]

RIGHTS: Final = {
    "deploy.yml/deploy": {"contents": "read", "id-token": "write"},
    "release.yml/attest": {"id-token": "write", "attestations": "write"},
    "release.yml/build": {"contents": "read"},
    "release.yml/publish": {"contents": "write"},
}
"""The jobs with rights of their own; the others have their workflow's."""

UNTRUSTED: Final = re.compile(r"\$\{\{\s*(?:github\.(?:event|head_ref|ref)|inputs\.)")


def test_a_workflow_has_no_right_to_write_and_runs_nothing_of_strangers_with_rights() -> None:
    names = ("api-versions", "audit", "bench", "ci", "deploy", "nightly", "release")
    assert set(WORKFLOWS) == {f"{name}.yml" for name in names}
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] in ({}, {"contents": "read"}), name
        # YAML 1.1 reads the key `on` as true.
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow[True]), name
        assert "secrets." not in TEXTS[name]


def test_a_job_has_the_rights_that_it_needs_and_ends_in_time() -> None:
    assert {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job} == RIGHTS
    for name, job in JOBS.items():
        assert 0 < job["timeout-minutes"] <= 60, name


def test_an_action_is_pinned_to_the_same_commit_everywhere_with_its_version() -> None:
    lines = set(re.findall(r"uses: (.+)", "\n".join(TEXTS.values())))
    pins = [re.fullmatch(r"([\w-]+/[\w-]+)@[0-9a-f]{40}  # v\d+(\.\d+)*", line) for line in lines]
    assert None not in pins, lines
    assert len({pin[1] for pin in pins if pin}) == len(lines)


def test_a_step_trusts_nobody() -> None:
    for step in STEPS:
        assert not UNTRUSTED.search(step.get("run", "")), step
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_the_tests_run_on_the_python_of_the_deployment() -> None:
    assert PYTHON in JOBS["ci.yml/test"]["strategy"]["matrix"]["python"]
    for step in STEPS:
        if "setup-python" in step.get("uses", ""):
            assert step["with"]["python-version"] in (PYTHON, "${{ matrix.python }}")


def test_ci_and_releases_compile_audit_and_list_what_is_deployed() -> None:
    for part in (
        ".ci/run",
        "az bicep install --version v",
        "dev.py package",
        "pip-audit --strict --path build/package",
    ):
        assert part in TEXTS["ci.yml"]
    made, published = TEXTS["release.yml"].split("  publish:")
    assert "sha256sum timbre-*.zip timbre-*.cdx.json > SHA256SUMS" in made
    assert "timbre-*.zip timbre-*.cdx.json SHA256SUMS" in published


def test_pip_installs_nothing_but_what_is_locked() -> None:
    commands = [line for text in TEXTS.values() for line in text.splitlines() if "pip install" in line]
    assert len(commands) == 2
    assert "export PIP_ONLY_BINARY=:all:" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert [line for line in commands if "--only-binary :all: --require-hashes -r requirements-" not in line] == []


def test_a_release_is_attested_as_it_was_built_before_it_is_published() -> None:
    assert JOBS["release.yml/publish"]["needs"] == ["build", "attest"]
    download, attest = JOBS["release.yml/attest"]["steps"]
    assert download["with"] == JOBS["release.yml/publish"]["steps"][0]["with"] == {"name": "release"}
    assert attest["with"] == {"subject-checksums": "SHA256SUMS"}


def test_every_lock_is_asked_about_each_week() -> None:
    asked = "\n".join(step.get("run", "") for job in WORKFLOWS["audit.yml"]["jobs"].values() for step in job["steps"])
    assert "for lock in requirements*.txt" in asked
    assert "npm audit --package-lock-only\n" in asked
    locks = [lock for lock in (REPOSITORY / "tests").rglob("package-lock.json") if "node_modules" not in lock.parts]
    assert len(locks) == 2
    for lock in locks:
        assert (
            f"npm audit --package-lock-only --prefix {lock.parent.relative_to(REPOSITORY).as_posix()}\n" in asked + "\n"
        )


def test_a_deployment_waits_until_the_service_is_ready() -> None:
    job = JOBS["deploy.yml/deploy"]
    assert job["environment"] == "${{ inputs.environment }}"
    assert "/health/ready" in job["steps"][-1]["run"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_deployment_from_github_makes_the_choices_again(tmp_path: Path) -> None:
    """The step itself, with an azd that writes down what it is told."""
    (step,) = [step for step in JOBS["deploy.yml/deploy"]["steps"] if "CHOICES" in step.get("env", {})]
    assert step["env"] == {"CHOICES": "${{ vars.CHOICES }}"}
    azd, calls = tmp_path / "azd", tmp_path / "calls"
    azd.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {calls}\n')
    azd.chmod(0o755)

    def run(choices: str) -> int:
        environment = {
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "AZURE_ENV_NAME": "prod",
            "AZURE_LOCATION": "here",
            "AZURE_SUBSCRIPTION_ID": "0",
            "CHOICES": choices,
        }
        command = ["bash", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False).returncode

    assert run("# ours\r\nVNET_ENABLED=true\r\n\r\nALERT_EMAIL=a+b=c@example.com") == 0
    new = "env|new|prod|--location|here|--subscription|0|--no-prompt|"
    assert calls.read_text() == f"{new}env|set|VNET_ENABLED|true|env|set|ALERT_EMAIL|a+b=c@example.com|"
    assert (run("vnet on"), run("")) == (1, 0)
