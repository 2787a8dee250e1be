"""The service as a child process, on the local host or on Azure's own, for tests that speak HTTP to it."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from localhost.azurite import Azurite
from tests import azure_host
from tests.azure_host import APP

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "TIMBRE_TEST_PACKAGE"
"""Environment variable with the folder of a package (``tests/package/place.py``), which is then the service under test
in place of the working tree. Set by ``pytest --package``."""

KEYS = {
    "TIMBRE_LOCAL_SUBSCRIPTION_KEY": "local-subscription-key",
    "TIMBRE_LOCAL_MANAGEMENT_KEY": "local-management-key",
    "TIMBRE_CONSOLE": "true",
    "TIMBRE_REQUESTS_PER_SECOND": "0",
    "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(b"k" * 32).decode(),
    "PYTHON_THREADPOOL_THREAD_COUNT": "20",
    "TIMBRE_ALLOWED_HOSTS": "voice.example.com",
}
"""Set here, so that a developer's own local.settings.json does not matter."""

_READY = re.compile(r"^Timbre is ready at (\S+) ", re.MULTILINE)
_START_SECONDS = 120.0


@dataclass(frozen=True)
class RunningService:
    """`log` is the file with everything that the service and its host print."""

    url: str
    key: str
    management_key: str
    log: Path
    process: subprocess.Popen[bytes]
    is_azure_host: bool = False

    def fire(self, timer: str) -> None:
        """Run a timer now and wait for its end, as the local host does by itself. Azure's answers before it begins, and
        other tests fire the same timer: the run waited for is one that had not begun before."""
        begun, _ = _runs(self.log, timer)
        request = urllib.request.Request(
            f"{self.url}/admin/functions/{timer}",
            b'{"input": ""}',
            {"x-functions-key": self.management_key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_START_SECONDS) as answer:
            assert answer.status == 202
        deadline = time.monotonic() + _START_SECONDS
        while self.is_azure_host:
            asked, ended = _runs(self.log, timer)
            if (asked - begun) & ended:
                break
            assert time.monotonic() < deadline, f"{timer} did not end within {_START_SECONDS:.0f} s"
            time.sleep(0.02)


@contextmanager
def running_service(
    log: Path, *arguments: str, environment: Mapping[str, str] | None = None, package: Path | None = None
) -> Iterator[RunningService]:
    """Start the app on a free port in the local host, wait until it is ready, stop it at the end.

    The app is the working tree, the ``package``, or the one of ``PACKAGE``; under ``pytest --azure-host`` the package
    on Azure's own host. On the local host the child holds a pipe from us and stops when it closes: it goes even if the
    test run is killed. There its timers run when a test fires them, and never between two of its looks at storage.
    """
    if APP in os.environ and "--app" not in arguments:
        with _on_azure(log, arguments, environment or {}) as running:
            yield running
        return
    command = [sys.executable, *_host(arguments, package), "--port", "0", "--until-stdin-closes", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **KEYS, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    assert process.stdin is not None
    try:
        yield RunningService(
            url=_wait_until_ready(process, log),
            key=KEYS["TIMBRE_LOCAL_SUBSCRIPTION_KEY"],
            management_key=KEYS["TIMBRE_LOCAL_MANAGEMENT_KEY"],
            log=log,
            process=process,
        )
    finally:
        process.stdin.close()
        process.wait(60)


@contextmanager
def _on_azure(log: Path, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[RunningService]:
    port = int(arguments[arguments.index("--port") + 1]) if "--port" in arguments else 0
    with ExitStack() as stack:
        settings = {**KEYS, **environment}
        if "--ephemeral" in arguments:
            settings["VOICE_STORAGE"] = stack.enter_context(Azurite()).connection_string
        if "AzureWebJobsStorage" not in settings:  # the host's own, for its timers
            storage = settings.get("VOICE_STORAGE") or stack.enter_context(Azurite()).connection_string
            settings["AzureWebJobsStorage"] = storage
        key = KEYS["TIMBRE_LOCAL_MANAGEMENT_KEY"]
        app = Path(os.environ[APP]) / "app"
        url, process = stack.enter_context(azure_host.running_host(log, app, settings, key, port))
        yield RunningService(url, KEYS["TIMBRE_LOCAL_SUBSCRIPTION_KEY"], key, log, process, is_azure_host=True)


def _runs(log: Path, timer: str) -> tuple[set[str], set[str]]:
    """The invocations that were asked for and have begun, and all that have ended, by Azure's host's log."""
    text = log.read_text(encoding="utf-8", errors="replace")
    asked = re.findall(rf"Executing 'Functions\.{timer}' \(Reason='This function was program.*?Id=([0-9a-f-]+)\)", text)
    ended = re.findall(rf"Executed 'Functions\.{timer}' \(\w+, Id=([0-9a-f-]+)", text)
    return set(asked), set(ended)


def _host(arguments: tuple[str, ...], package: Path | None) -> list[str]:
    if "--app" in arguments:  # another app: the test is about the local host
        return ["-m", "localhost"]
    place = package or os.environ.get(PACKAGE)
    host = ["localhost"] if place is None else ["tests.package.front", str(place)]
    return ["-m", *host, "--timers-on-demand"]


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
