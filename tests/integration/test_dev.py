"""dev.py as a person runs it: in a copy of its own each time, so that the checkout stays untouched."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dev
from tests.integration.localhost.test_process import wait_until_gone

REPOSITORY = Path(__file__).resolve().parents[2]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="stand-in programs are shell scripts")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with dev.py that needs no packages and no models."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(REPOSITORY / "dev.py", folder)
    for name in dev.LOCKS:
        (folder / name).write_text("# nothing\n")
    (folder / "package-lock.json").write_text("{}")
    (folder / "tools").mkdir()
    (folder / "tools" / "build_models.py").write_text("")
    return folder


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def run(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "dev.py", *arguments],
        cwd=copy,
        env={**os.environ, "CI": "true", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_taken_port_is_said_before_anything_is_set_up(copy: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(copy, "start", "--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr == f"Port {port} is taken: stop what listens there, or pass another with --port.\n"
    assert not (copy / ".venv").exists()


def test_a_missing_node_is_said(copy: Path, tmp_path: Path) -> None:
    ended = run(copy, "test", PATH=str(tmp_path / "nothing"))
    assert ended.returncode == 2
    assert ended.stderr == "Node.js is missing: install Node.js 20 or later with npm, and run the command again.\n"


@posix_only
@pytest.mark.parametrize("version", ["v18.20.4", ""])
def test_an_old_node_is_said(copy: Path, tmp_path: Path, version: str) -> None:
    program(tmp_path / "bin", "node", f"echo {version}")
    program(tmp_path / "bin", "npm", "exit 1")
    ended = run(copy, "test", PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert ended.returncode == 2
    assert ended.stderr == f"Timbre needs Node.js 20 or later, this is {version or 'unknown'}: install a newer one.\n"


def test_an_old_python_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 14))
    with pytest.raises(dev.Cannot, match=r"Timbre needs Python 3\.11 or later"):
        dev.set_up()


@pytest.mark.parametrize("arguments", [[], ["sing"], ["start", "--colour"], ["start", "--port", "high"]])
def test_a_command_that_does_not_exist_is_code_2(copy: Path, arguments: list[str]) -> None:
    assert run(copy, *arguments).returncode == 2


@pytest.mark.long_form("makes an environment")
@posix_only
def test_a_set_up_that_broke_off_goes_on_where_it_stopped(copy: Path, tmp_path: Path) -> None:
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    program(tmp_path / "bin", "npm", "exit 1")
    (copy / ".venv" / "bin").mkdir(parents=True)  # half made: no interpreter in it
    (copy / "tests").mkdir()
    (copy / dev.LOCKS[0]).write_text(f"a-package-that-nobody-has==1.0 --hash=sha256:{'0' * 64}\n")

    no_packages = run(copy, "model", PATH=path, PIP_NO_INDEX="1")
    assert no_packages.returncode == 2
    assert "Installing Python packages" in no_packages.stdout
    (sentence,) = no_packages.stderr.splitlines()
    assert "check the network" in sentence
    assert "a-package-that-nobody-has" in (copy / "build" / "setup.log").read_text()

    (copy / dev.LOCKS[0]).write_text("a-package==1.0\n")
    (tmp_path / "a_package-1.0-py3-none-any.whl").write_bytes(b"")
    assert run(copy, "model", PATH=path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)).returncode == 2
    assert "Hashes are required" in (copy / "build" / "setup.log").read_text()

    (copy / dev.LOCKS[0]).write_text("# nothing\n")
    no_npm = run(copy, "model", PATH=path)
    assert no_npm.returncode == 2
    assert "Creating .venv" not in no_npm.stdout
    assert no_npm.stderr.startswith("Installing Azurite")

    program(tmp_path / "bin", "npm", "mkdir node_modules")
    assert run(copy, "model", PATH=path).returncode == 0
    assert run(copy, "model", PATH=path).stdout == ""


@pytest.mark.long_form("makes an environment")
@posix_only
def test_a_stop_during_the_set_up_ends_its_programs_too(copy: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin", "npm", f"sleep 600 & echo $! > {tmp_path / 'pid'}; wait")
    process = subprocess.Popen(
        [sys.executable, "dev.py", "start", "--port", "0"],
        cwd=copy,
        env={**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip()):
        assert time.monotonic() < deadline, "npm was not reached"
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    wait_until_gone(int((tmp_path / "pid").read_text()))
