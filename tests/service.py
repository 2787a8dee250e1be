"""The local host as a child process, for tests that speak HTTP to it."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "TIMBRE_TEST_PACKAGE"
"""Environment variable with the folder of a package (``tests/package/place.py``), which is then the service under test
in place of the working tree. Set by ``pytest --package``."""

_READY = re.compile(r"^Timbre is ready at (\S+) ", re.MULTILINE)
_START_SECONDS = 120.0


@dataclass(frozen=True)
class RunningService:
    """`log` is the file with everything that the service prints."""

    url: str
    key: str
    management_key: str
    log: Path
    process: subprocess.Popen[bytes]


@contextmanager
def running_service(
    log: Path, *arguments: str, environment: Mapping[str, str] | None = None, package: Path | None = None
) -> Iterator[RunningService]:
    """Start the app on a free port in the local host, wait until it is ready, stop it at the end.

    The app is the working tree, or the ``package``, or the one of ``PACKAGE``. The keys are set here, so that a
    developer's own local.settings.json does not matter. The child holds a pipe from us and stops when it closes: it
    goes even if the test run is killed.
    """
    keys = {
        "TIMBRE_LOCAL_SUBSCRIPTION_KEY": "local-subscription-key",
        "TIMBRE_LOCAL_MANAGEMENT_KEY": "local-management-key",
        "TIMBRE_REQUESTS_PER_SECOND": "0",
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(b"k" * 32).decode(),
        "PYTHON_THREADPOOL_THREAD_COUNT": "20",
    }
    command = [sys.executable, *_host(arguments, package), "--port", "0", "--until-stdin-closes", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **keys, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    assert process.stdin is not None
    try:
        yield RunningService(
            url=_wait_until_ready(process, log),
            key=keys["TIMBRE_LOCAL_SUBSCRIPTION_KEY"],
            management_key=keys["TIMBRE_LOCAL_MANAGEMENT_KEY"],
            log=log,
            process=process,
        )
    finally:
        process.stdin.close()
        process.wait(60)


def _host(arguments: tuple[str, ...], package: Path | None) -> list[str]:
    place = package or os.environ.get(PACKAGE)
    if place is None or "--app" in arguments:  # another app: the test is about the local host
        return ["-m", "localhost"]
    return ["-m", "tests.package.front", str(place)]


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        said = log.read_text(encoding="utf-8", errors="replace")
        if found := _READY.search(said):
            return found[1]
        if process.poll() is not None:
            raise AssertionError(f"the service ended with code {process.returncode}:\n{said}")
        time.sleep(0.05)
    raise AssertionError(f"the service was not ready within {_START_SECONDS:.0f} s:\n{said}")
