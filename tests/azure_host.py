"""Azure's own Functions host with Microsoft's Python worker, as a child process that serves the package.

``../shared/functions-host`` where it is, otherwise ``func`` (Azure Functions Core Tools) on the path. The worker is
Microsoft's 4.34, for Python 3.11, so the package is built for that Python whatever production runs.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tools.package import build
from tools.packaging.contents import PACKAGES

REPOSITORY: Final = Path(__file__).resolve().parent.parent
START: Final = REPOSITORY.parent / "shared" / "functions-host" / "start"
PYTHON: Final = (3, 11)
"""Of the worker that comes with the host."""

APP: Final = "TIMBRE_TEST_AZURE_APP"
"""Environment variable with the folder of the unpacked package, which processes of pytest-xdist share."""

KEPT: Final = ("PATH", "HOME", "TMPDIR", "LANG", "FUNCTIONS_HOST_FOLDER", "XDG_CACHE_HOME")
"""What any process needs of this shell."""

READY_SECONDS: Final = 120.0
"""Seen: 3 s, and 8 s more where the host is unpacked first."""

HOST_SETTINGS: Final = {
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "268435456",
    "AzureWebJobsDisableHomepage": "true",
    "PYTHON_ENABLE_INIT_INDEXING": "1",
}
"""As in infra/modules/function-app.bicep, to which tests/infra holds them."""

FRONT_END: Final = {"ASPNETCORE_FORWARDEDHEADERS_ENABLED": "true"}
"""Stands in for the middleware of the host that reads X-Forwarded-Proto where it knows that it is in Azure."""


def missing() -> str | None:
    """Why the host cannot be had here, in one line; ``None`` where it can."""
    if sys.version_info[:2] != PYTHON:
        return f"Azure's host needs Python 3.11 here, whose worker it has; this is {sys.version.split()[0]}"
    if not START.exists() and shutil.which("func") is None:
        return (
            f"Azure's Functions host is neither in {START.parent} nor is func (Azure Functions Core Tools) on the path"
        )
    return None


def unpack(folder: Path) -> None:
    """The package for the worker's Python, ready to be served."""
    with zipfile.ZipFile(build(folder, "{}.{}".format(*PYTHON)).archive) as archive:
        archive.extractall(folder / "app")


def command(app: Path, port: int) -> list[str]:
    if START.exists():
        return [str(START), str(app), str(port), sys.executable]
    return ["func", "start", "--script-root", str(app), "--port", str(port), "--no-build"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_host(
    log: Path, app: Path, settings: Mapping[str, str], key: str, port: int = 0
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve ``app`` with these settings and no others; gives the address and the host's process, once it is ready.

    ``key`` opens what is for the operator. At the end the whole process group goes, the worker included.
    """
    with started_host(log, app, settings, key, port) as (url, process):
        _wait_until_ready(process, url, key, log)
        yield url, process


@contextmanager
def started_host(
    log: Path, app: Path, settings: Mapping[str, str], key: str, port: int = 0
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """As ``running_host``, but the host has only just been started."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="timbre-host-") as folder, log.open("wb") as output:
        process = subprocess.Popen(
            command(app, port),
            cwd=folder,
            env=_environment(app, settings, key),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            _end(process)


def _environment(app: Path, settings: Mapping[str, str], key: str) -> dict[str, str]:
    """What Azure would give, and what any process needs: nothing else of this shell."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **HOST_SETTINGS,
        **FRONT_END,
        "FUNCTIONS_HOST_KEY": key,
        # One id per host: hosts with the same id share the locks of the timers.
        "AzureFunctionsWebHost__hostid": f"timbre{uuid.uuid4().hex[:20]}",
        # Outside Azure the worker looks for packages where its interpreter does.
        "PYTHONPATH": str(app / PACKAGES),
        **settings,
    }


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, key: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"Azure's host ended with code {process.returncode}:\n{_end_of(log)}")
        if _answers(f"{url}/admin/host/status", key, '"Running"') and _answers(f"{url}/", key, "Timbre"):
            return
        time.sleep(0.1)
    raise AssertionError(f"Azure's host was not ready within {READY_SECONDS:.0f} s:\n{_end_of(log)}")


def _answers(url: str, key: str, expected: str) -> bool:
    request = urllib.request.Request(url, headers={"x-functions-key": key})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return expected in answer.read().decode()
    except (OSError, urllib.error.URLError):
        return False


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-4000:]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # the worker ends with the host
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
