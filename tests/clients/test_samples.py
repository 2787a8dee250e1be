"""The programs of ``samples/``, as their pages say to start them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.sdk import FOLDER
from tests.service import REPOSITORY, RunningService

SAMPLES = REPOSITORY / "samples"
PAGE = (SAMPLES / "README.md").read_text(encoding="utf-8")


def environment(service: RunningService) -> dict[str, str]:
    return {**os.environ, "TIMBRE_KEY": service.key}


def test_the_python_sample_says_what_its_page_prints(service: RunningService) -> None:
    command, printed = re.findall(r"^```\w*\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:2]
    script = command.replace("http://127.0.0.1:7071", service.url).replace("python ", f"{sys.executable} ", 1)
    assert service.url in script
    done = subprocess.run(
        ["bash", "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, env=environment(service)
    )
    assert (done.returncode, done.stdout) == (0, printed), done.stderr


def test_the_python_sample_says_why_it_is_refused(service: RunningService) -> None:
    done = subprocess.run(
        [sys.executable, str(SAMPLES / "python" / "speakers.py"), service.url],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TIMBRE_KEY": "wrong"},
    )
    assert done.returncode == 1
    assert "RuntimeError: 401 Unauthorized: " in done.stderr


@pytest.fixture
def page(service: RunningService) -> Iterator[str]:
    """Address of the sample's own server: another origin than the service."""
    process = subprocess.Popen(
        [sys.executable, str(SAMPLES / "browser" / "server.py"), service.url, "0"],
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
        env=environment(service),
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("Open ").strip()
    finally:
        process.kill()
        process.communicate()


def visit(chromium: str, page: str, voice: str, *buttons: str) -> Any:
    done = subprocess.run(
        ["node", str(FOLDER / "sample.cjs"), chromium, page, str(SAMPLES / f"{voice}.wav"), ",".join(buttons)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.local_host("a browser's visit takes a while; the calls that it makes are tried on both hosts")
def test_the_browser_sample_calls_with_a_token_for_each_recording(
    service: RunningService, chromium: str, page: str, long_form: bool
) -> None:
    own = visit(chromium, page, "passphrase-1", *(["Enroll"] * (3 if long_form else 1)), "Verify")
    if long_form:
        assert own["said"] == ["Enrolling, 2 to come", "Enrolling, 1 to come", "Enrolled, 0 to come", "Accept"]
        assert own["problems"] == []
        assert visit(chromium, page, "other-speaker", "Verify")["said"] == ["Reject"]
    else:
        assert own["said"][0] == "Enrolling, 2 to come"
        assert own["said"][1].startswith("Profile is not enrolled. ")  # the service's own words
    assert len(set(own["tokens"])) == len(own["said"])
    assert all(token.startswith("Bearer timbre1.") for token in own["tokens"])
