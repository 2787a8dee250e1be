"""The local host as a child process, for tests that speak HTTP to it."""

from __future__ import annotations

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
    log: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningService]:
    """Start `python -m localhost` on a free port, wait until it is ready, stop it at the end.

    The keys are set here, so that a developer's own local.settings.json does not matter. The child holds a pipe from us
    and stops when it closes: it goes even if the test run is killed.
    """
    keys = {
        "TIMBRE_LOCAL_SUBSCRIPTION_KEY": "local-subscription-key",
        "TIMBRE_LOCAL_MANAGEMENT_KEY": "local-management-key",
        "TIMBRE_REQUESTS_PER_SECOND": "0",
        "PYTHON_THREADPOOL_THREAD_COUNT": "20",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "localhost", "--port", "0", "--until-stdin-closes", *arguments],
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
