"""A visit of the console in a stock Firefox, whose microphone is PulseAudio's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.operator import Operator
from tests.clients.test_console import SCREENSHOTS
from tests.service import RunningService
from tests.voices import PASSPORT, recording

START_SECONDS = 10.0


@pytest.fixture
def firefox() -> str:
    browser = shutil.which("firefox-esr") or shutil.which("firefox")
    if browser is None or shutil.which("pulseaudio") is None:
        pytest.skip("needs Firefox and PulseAudio: `apt-get install firefox-esr pulseaudio`")
    return browser


@pytest.fixture
def pulse_audio(firefox: str) -> Iterator[dict[str, str]]:
    """The environment of programs that play on its sink, whose monitor is the default microphone."""
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder:
        environment = {**os.environ, "PULSE_RUNTIME_PATH": folder}
        modules = ["-L", "module-null-sink rate=44100", "-L", "module-native-protocol-unix"]
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=false", *modules]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not (Path(folder) / "native").exists():
                assert time.monotonic() < deadline, "PulseAudio did not start"
                time.sleep(0.05)
            yield environment
        finally:
            process.kill()
            process.wait()


@pytest.mark.local_host("a browser's visit takes 40 seconds; the calls that it makes are tried on both hosts")
def test_from_nothing_to_verified_by_microphone(
    service: RunningService, nightly: Path, firefox: str, pulse_audio: dict[str, str], tmp_path: Path
) -> None:
    customer = Operator(service.url, service.management_key).customer()
    own, other = (tmp_path / f"{voice}.wav" for voice in ("slt", "rms"))
    for file in (own, other):
        file.write_bytes(recording(PASSPORT, file.stem))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    arguments = [firefox, service.url, customer.primary.key or "", *map(str, (own, other, SCREENSHOTS))]
    done = subprocess.run(
        ["node", str(nightly / "firefox.cjs"), *arguments],
        env=pulse_audio,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen.pop("version").startswith("firefox/")
    assert seen.pop("silence").endswith(" The recording has 0.00 seconds of speech.")
    assert seen == {
        "verified": "Accepted: it is this voice.",
        "serious": [],
        "stored": ["", 0, 0],
        "problems": [],
    }
