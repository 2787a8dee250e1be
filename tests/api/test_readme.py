"""The four calls of README.md answer as printed."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.service import REPOSITORY, RunningService

CALLS = (REPOSITORY / "README.md").read_text(encoding="utf-8").split("## Four calls")[1]


def masked(answers: str) -> str:
    """Ids are new each time; the last digits of a score belong to the processor."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\"score\":)0\.\d+", "...", answers.strip())


def test_the_four_calls_answer_as_printed(service: RunningService) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    script, answers = re.findall(r"^```\w*\n(.*?)^```", CALLS, re.MULTILINE | re.DOTALL)[:2]
    script = script.replace("http://127.0.0.1:7071", service.url)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )

    assert masked(done.stdout) == masked(answers)
