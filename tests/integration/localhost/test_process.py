"""Start and stop of the host as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.localhost.sample_app import ENVIRONMENT, quiet, write_sample_app
from tests.integration.localhost.test_server import wait_for
from tests.service import REPOSITORY, running_service

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and ps")


def start_and_wait(app: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "localhost", "--app", str(app), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **ENVIRONMENT, "TIMBRE_LOCAL_MANAGEMENT_KEY": "key"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


def children_of(pid: int) -> list[int]:
    said = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in said.splitlines() if int(line.split()[1]) == pid]


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return  # ended; only nobody has asked for its exit code
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)


def test_a_stop_lets_the_request_in_flight_finish(tmp_path: Path) -> None:
    app = write_sample_app(tmp_path / "app")
    log = tmp_path / "host.log"
    with ThreadPoolExecutor(1) as pool:
        with running_service(log, "--app", str(app), environment=ENVIRONMENT) as service:
            answer = pool.submit(lambda: urllib.request.urlopen(f"{service.url}/slow", timeout=60).read())
            wait_for(app / "slow-started")
            assert service.process.stdin is not None
            service.process.stdin.close()
            (app / "slow-may-end").touch()
            assert service.process.wait(60) == 0
        assert answer.result() == b"finished"


@posix_only
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_leaves_no_azurite_behind(tmp_path: Path, number: signal.Signals) -> None:
    app = quiet(write_sample_app(tmp_path / "app"))
    with running_service(tmp_path / "log", "--app", str(app), "--ephemeral") as service:
        (azurite,) = children_of(service.process.pid)
        service.process.send_signal(number)
        assert service.process.wait(60) == (-number if number == signal.SIGKILL else 0)
        wait_until_gone(azurite)


@posix_only
def test_data_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "azurite"
    folder.mkdir(mode=0o755)  # as earlier versions made it
    app = quiet(write_sample_app(tmp_path / "app"))
    with running_service(tmp_path / "log", "--app", str(app), "--data", str(tmp_path)):
        written = [folder, *folder.rglob("*")]
    assert len(written) > 5
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_the_ready_line_is_the_last_on_the_terminal_and_names_port_and_key(tmp_path: Path) -> None:
    app = write_sample_app(tmp_path / "app")
    log = tmp_path / "log"
    with running_service(log, "--app", str(app), environment=ENVIRONMENT) as service:
        pass
    last = log.read_text().splitlines()[-1]
    assert last == f"Timbre is ready at {service.url} (Ocp-Apim-Subscription-Key: {service.key})"


def test_a_timer_on_demand_does_not_run_by_itself(tmp_path: Path) -> None:
    app = write_sample_app(tmp_path / "app")
    arguments = ("--app", str(app), "--timers-on-demand")
    with running_service(tmp_path / "log", *arguments, environment=ENVIRONMENT) as service:
        time.sleep(1.1)  # its schedule is every second
        assert not (app / "often-ran").exists()
        service.fire("often")
        assert (app / "often-ran").exists()


def test_a_taken_port_is_one_sentence_and_code_2(tmp_path: Path) -> None:
    app = write_sample_app(tmp_path / "app")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = start_and_wait(app, "--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr == f"Port {port} is taken: stop what listens there, or pass another with --port.\n"


@pytest.mark.parametrize(
    ("change", "last"),
    [
        (
            lambda _: "import a_package_that_nobody_has\n",
            "The function app does not load: ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
        ),
        (
            lambda _: "import azure.functions as func\n\napp = func.FunctionApp()\n",
            "The function app has no HTTP streams, which this host needs.",
        ),
        (lambda source: source.replace("0 0 3 1 1 *", "every day"), '"every day"'),
        (None, "There is no function_app.py in "),
    ],
    ids=["does not load", "without streams", "a bad schedule", "without its file"],
)
def test_an_app_that_cannot_be_served_is_said(tmp_path: Path, change: Callable[[str], str] | None, last: str) -> None:
    file = write_sample_app(tmp_path / "app") / "function_app.py"
    source = file.read_text()
    file.unlink()
    if change:
        file.write_text(change(source))
    ended = start_and_wait(file.parent, "--port", "0")
    assert ended.returncode == 2
    assert last in ended.stderr.splitlines()[-1]
