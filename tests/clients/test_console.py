"""Whole visits of the console in a real Chromium, with a fake microphone that hears synthetic voices."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.operator import Operator
from tests.clients.sdk import FOLDER
from tests.service import REPOSITORY, RunningService
from tests.voices import PASSPORT, recording

SCREENSHOTS = REPOSITORY / "build" / "console"


@pytest.fixture
def chromium() -> str:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium: `apt-get install chromium`")
    if shutil.which("node") is None or not (FOLDER / "node_modules" / "playwright-core").is_dir():
        pytest.skip("needs Node.js and `npm ci` in tests/clients, which `python dev.py test` does")
    return browser


def test_from_nothing_to_verified_and_another_voice_rejected(
    service: RunningService, chromium: str, tmp_path: Path
) -> None:
    key = Operator(service.url, service.management_key).customer().primary.key or ""
    own, other = (tmp_path / f"{voice}.wav" for voice in ("slt", "rms"))
    for file in (own, other):
        file.write_bytes(recording(PASSPORT, file.stem))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    visits = [f"{service.url}/console", key, str(own), str(other), str(SCREENSHOTS)]
    done = subprocess.run(
        ["node", str(FOLDER / "console.cjs"), chromium, *visits], capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["first"]["answer"] == "Accepted: it is this voice."
    assert seen["second"]["answer"] == "Rejected."
    for visit in seen.values():
        assert visit["problems"] == []  # nothing that the page wants is against its own policy
        assert visit["stored"] == {"cookies": [], "origins": []}
        assert key not in visit["address"]
