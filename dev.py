"""Timbre on your own machine.

    python dev.py start [--port 7071] [--data DIR] [--ephemeral]
    python dev.py test  [pytest arguments]
    python dev.py model [NAME]
    python dev.py bench [arguments]
    python dev.py evaluate [MANIFEST] [--turns | --second-voices]
    python dev.py check
    python dev.py package [--python-version 3.13] [--out build] [--media]
    python dev.py lock [--upgrade]

Needs Python 3.11+ and, but for package and lock, Node.js 20+; everything else is set up in .venv and node_modules at
the first start. Standard library only, and readable by older Pythons, so that they can say what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CANNOT, STOPPED = 2, 130
STOPS = (signal.SIGINT, signal.SIGTERM)
MIN_PYTHON, MIN_NODE = (3, 11), 20
LOCKS = ("requirements-dev.txt", "requirements-localhost.txt")
MODULES = {
    "test": "pytest",
    "model": "tools.build_models",
    "bench": "tests.performance.bench",
    "evaluate": "tools.evaluate",
    "package": "tools.package",
    "lock": "tools.lock",
}
# The service lets requests in flight (20 s) and a timer (10 s) finish.
STOP_SECONDS = 50.0


class Cannot(Exception):
    """One sentence for the person at the terminal: what is wrong and what to do next."""


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def main(arguments: list[str]) -> int:
    options, rest = _parse(arguments)
    for number in STOPS:
        signal.signal(number, _stopped)
    # pip compiles nothing here. Where this is set, each of the many processes of a test run would compile all anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        if options.command == "start":
            _check_port(options.port)
        set_up(
            models=options.command not in ("model", "check", "lock"),
            clients=options.command == "test",
            nightly="--long" in rest,
            node=options.command not in ("package", "lock"),
        )
        return run(options, rest)
    except Cannot as problem:
        print(problem, file=sys.stderr)
        return CANNOT
    except Stopped:
        return 0 if options.command == "start" else STOPPED


def run(options: argparse.Namespace, rest: list[str]) -> int:
    if options.command == "start":
        data = Path(options.data).resolve()
        flags = ["--port", str(options.port), "--data", str(data), *(["--ephemeral"] if options.ephemeral else [])]
        return _serve([str(PYTHON), "-m", "localhost", "--until-stdin-closes", *flags])
    if options.command == "check":
        checks = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
        return max([_delegate(["-m", *check]) for check in checks])
    return _delegate(["-m", MODULES[options.command], *rest])


def set_up(models: bool = True, clients: bool = False, node: bool = True, nightly: bool = False) -> None:
    """Bring .venv, node_modules and the models to what the repository asks for; quick when nothing has changed.

    ``clients`` are Microsoft's SDKs, which only tests need, ``nightly`` those that only their long form needs. Without
    ``node`` there is no Azurite: a package needs none.
    """
    if sys.version_info < MIN_PYTHON:
        raise Cannot(
            f"Timbre needs Python 3.11 or later, this is {sys.version.split()[0]}: run dev.py with a newer one."
        )
    npm = _find_npm() if node else ""
    wanted = {".": node, "tests/clients": clients, "tests/clients/nightly": clients and nightly}
    try:
        beside = [step for folder in wanted if wanted[folder] and (step := _node_step(npm, folder))]
        _set_up_python()
        for step in beside:
            step.finish()
    except BaseException:
        for step in _running:
            step.give_up()
        raise
    if models and (code := _delegate(["-m", "tools.build_models"])):
        sys.exit(code)  # it has said why


def _set_up_python() -> None:
    everything, worker = (ROOT / name for name in LOCKS)
    wanted = _fingerprint([everything, worker])
    stamp = VENV / "timbre-setup"
    if not _is_usable_venv():
        Step("Creating .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)], NO_VENV).finish()
    if _read(stamp) != wanted:
        pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes"]
        pip.append("--no-compile")  # a third of the time, for modules of which most are never imported
        title = "Installing Python packages (a minute or two the first time)"
        Step(title, [*pip, "-r", str(everything)], NO_NETWORK).finish()
        alone = ["--ignore-requires-python", "--no-deps", "-r", str(worker)]
        Step("Installing the Functions worker library", [*pip, *alone], NO_NETWORK).finish()
        stamp.write_text(wanted)


def _node_step(npm: str, folder: str) -> Step | None:
    """Begun, so that it runs beside pip; none where nothing has changed."""
    wanted = _fingerprint([ROOT / folder / "package-lock.json"])
    # npm ci empties the folder first: half an install has no stamp.
    stamp = ROOT / folder / "node_modules" / ".timbre-setup"
    if _read(stamp) == wanted:
        return None
    title, log = NODE_PACKAGES[folder]
    return Step(title, [npm, "ci", "--no-audit", "--no-fund"], NO_NETWORK, folder, log, {stamp: wanted})


NODE_PACKAGES = {
    ".": ("Installing Azurite (half a minute the first time)", "setup-azurite.log"),
    "tests/clients": ("Installing the client SDKs that the tests drive", "setup-clients.log"),
    "tests/clients/nightly": ("Installing the clients of the long form", "setup-nightly.log"),
}
"""By folder: what the terminal says, and where the rest goes."""
NO_NETWORK = "check the network, proxy and disk space and run the command again; it goes on where it stopped"
NO_VENV = "install Python's venv module (Debian and Ubuntu: apt-get install python3-venv) and run the command again"


def _parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="dev.py", description="Timbre on your own machine.", epilog=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="the service with its storage")
    start.add_argument("--port", type=int, default=7071, help="0 takes a free one")
    start.add_argument("--data", default=str(ROOT / ".timbre"), help="folder that survives restarts")
    start.add_argument("--ephemeral", action="store_true", help="keep nothing")
    for name in (*MODULES, "check"):
        commands.add_parser(name, add_help=False)
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command in ("start", "check"):
        parser.error("unrecognized arguments: " + " ".join(rest))
    return options, rest


def _check_port(port: int) -> None:
    # Before the set-up, which can take minutes. The service checks again when it listens.
    with socket.socket() as probe:
        if os.name != "nt":  # there the option would let two programs share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise Cannot(f"Port {port} is taken: stop what listens there, or pass another with --port.") from None


def _find_npm() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Cannot("Node.js is missing: install Node.js 20 or later with npm, and run the command again.")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < MIN_NODE:
        raise Cannot(f"Timbre needs Node.js 20 or later, this is {said or 'unknown'}: install a newer one.")
    return npm


def _is_usable_venv() -> bool:
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return (
        PYTHON.exists() and not subprocess.run([str(PYTHON), "-c", probe], capture_output=True, check=False).returncode
    )


def _fingerprint(files: list[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


_running: list[Step] = []


@contextmanager
def _stops_wait() -> Iterator[None]:
    """A stop is raised behind the block: a program that had just begun would be left behind."""
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came:
        raise Stopped(came[0])


class Step:
    """A program of the set-up, begun: one line on the terminal; what the program says goes to a log in build/.

    ``stamps`` are files that say that it is done, and their texts.
    """

    def __init__(
        self,
        title: str,
        command: list[str],
        advice: str,
        folder: str = ".",
        log: str = "setup.log",
        stamps: dict[Path, str] | None = None,
    ) -> None:
        print(title, flush=True)
        self._title, self._advice, self._stamps = title, advice, stamps or {}
        self._log = ROOT / "build" / log
        self._log.parent.mkdir(exist_ok=True)
        with _stops_wait(), self._log.open("w") as output:
            self._child = subprocess.Popen(
                command,
                cwd=ROOT / folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=os.name != "nt",  # npm and pip have children, and a stop must reach those too
            )
            _running.append(self)

    def finish(self) -> None:
        if self._child.wait():
            raise Cannot(f"{self._title} failed: {self._advice} (details: {self._log}).")
        for stamp, text in self._stamps.items():
            stamp.write_text(text)

    def give_up(self) -> None:
        """End it with its children, where it has not ended."""
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
        if self._child.poll() is None:
            if os.name == "nt":
                self._child.terminate()
            else:
                os.killpg(self._child.pid, signal.SIGTERM)
            self._child.wait()


def _serve(command: list[str]) -> int:
    """The service stops in good order when its stdin closes: on Ctrl-C, SIGTERM, and also if we are killed outright."""
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows; elsewhere a session does the same
    child = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=os.name != "nt", creationflags=flags
    )
    assert child.stdin is not None
    try:
        return child.wait()
    except Stopped:
        child.stdin.close()
        try:
            return child.wait(STOP_SECONDS)
        except (Stopped, subprocess.TimeoutExpired):
            child.kill()
            return child.wait()


def _delegate(arguments: list[str]) -> int:
    """A Python module in the foreground; Ctrl-C reaches it from the terminal itself, SIGTERM we pass on."""
    child = subprocess.Popen([str(PYTHON), *arguments], cwd=ROOT)
    stop = None
    while True:
        try:
            code = child.wait()
        except Stopped as asked:
            stop = asked
            if asked.args == (signal.SIGTERM,):
                child.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        else:
            if stop:
                raise stop
            return code


def _stopped(number: int, _: FrameType | None) -> None:
    raise Stopped(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
