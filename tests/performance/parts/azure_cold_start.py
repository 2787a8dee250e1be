"""(h) What the first verify waits for on Azure's own host, from the start of its process, with and without bytecode."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localhost.azurite import Azurite
from tests import azure_host
from tests.performance.client import Client, Unexpected, enroll
from tests.performance.figures import Cell, Times
from tests.performance.process import worker_of
from tests.performance.reporting.found import Bars, Found, Run, Table
from tests.performance.rounds import BREAKDOWN_SECONDS
from tests.performance.serving import MANAGEMENT_KEY, azure_settings, import_seconds, package, serving_on_azure
from tests.service import KEYS

STARTS, QUICK_STARTS = 5, 1
LOADED, LISTENING = b" functions loaded", b"Now listening on"
"""What the host prints when the worker has imported the app, and when it takes requests."""
PATIENCE_SECONDS = 60.0
WITH, WITHOUT = "with bytecode", "without"


@dataclass(frozen=True)
class AzureStart:
    """Seconds, each behind the one before but the last two."""

    host: float
    """The host's process, until it starts the worker's."""
    imported: float
    """The worker's, until it has imported the app and told the host its functions."""
    listening: float
    """The host maps the functions and takes requests."""
    first: float
    """The first verify: the app opens storage, networks and the phrase recogniser."""
    second: float
    """The next one, for comparison."""
    alone: float
    """``function_app.py`` in a process of its own that has ``azure.functions``, as the worker has."""

    @property
    def total(self) -> float:
        """From nothing to the first answer."""
        return self.host + self.imported + self.listening + self.first


_PARTS: Final = {
    "host": "host, until it starts the worker",
    "imported": "worker, until the app is imported",
    "listening": "host, until it listens",
    "first": "first verify of 4 s",
    "total": "whole, to the first answer",
    "second": "(second verify)",
    "alone": "(import of function_app.py alone)",
}


@dataclass(frozen=True)
class Question:
    """Whom the first request is about, and what is said."""

    speaker: str
    wav: bytes


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``."""
    run.say("building the package")
    with tempfile.TemporaryDirectory(prefix="timbre-azure-cold-") as name, Azurite() as azurite:
        folder = Path(name)
        apps = {WITH: package(), WITHOUT: _without_bytecode(package(), folder / "source")}
        with serving_on_azure(azurite, folder, package()) as service:
            client = Client(service.url, service.key)
            question = Question(enroll(client, run.spoken).speaker, run.spoken.phrases[BREAKDOWN_SECONDS])
            client.close()
        number = QUICK_STARTS if run.quick else STARTS
        starts: dict[str, list[AzureStart]] = {kind: [] for kind in apps}
        for turn in range(number):
            run.say(f"start {turn + 1} of {number}")
            for kind, app in apps.items():
                starts[kind].append(_start(azurite, folder / f"{kind} {turn}.log", app, question))
    return found_in(starts[WITH], starts[WITHOUT])


def found_in(compiled: Sequence[AzureStart], source: Sequence[AzureStart]) -> Found:
    def times(starts: Sequence[AzureStart], part: str) -> Times:
        return Times.of_seconds(getattr(start, part) for start in starts)

    rows: list[list[Cell]] = []
    for part, title in _PARTS.items():
        fast, slow = times(compiled, part), times(source, part)
        rows.append([title, fast.p50, fast.p95, slow.p50, slow.p95, slow.p50 - fast.p50])
    header = ["part", WITH, "p95", WITHOUT, "p95", "bytecode spares"]
    note = (
        f"ms, p50 but where it says p95, {len(compiled)} starts each, in turns. Without: the same package with no "
        "__pycache__. In both nothing is compiled into the folder (PYTHONDONTWRITEBYTECODE), as where it is read-only. "
        "The host's and the worker's own modules are compiled. Times are those of lines in the host's log, and of "
        "processes' starts, to 10 ms"
    )
    parts = [(title, times(compiled, part).p50) for part, title in _PARTS.items() if part not in ("second", "alone")]
    title = "Cold start on Azure's own host"
    return Found([Table(title, header, rows, note)], bars=[Bars(title, "ms", parts)])


def _without_bytecode(app: Path, folder: Path) -> Path:
    shutil.copytree(app, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _start(azurite: Azurite, log: Path, app: Path, question: Question) -> AzureStart:
    began = time.perf_counter()
    with azure_host.started_host(log, app, azure_settings(azurite), MANAGEMENT_KEY) as (url, process):
        loaded = _printed(log, LOADED)
        listening = _printed(log, LISTENING)
        client = Client(url, KEYS["TIMBRE_LOCAL_SUBSCRIPTION_KEY"])
        _verified(client, question)
        answered = time.perf_counter()
        second = client.verify(question.speaker, question.wav)
        client.close()
        host = _started_at(worker_of(process.pid)) - _started_at(process.pid)
    return AzureStart(
        host, loaded - began - host, listening - loaded, answered - listening, second, import_seconds(app)
    )


def _verified(client: Client, question: Question) -> None:
    """Asks again while the host answers 404, which it does until it has mapped the functions."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while True:
        try:
            client.verify(question.speaker, question.wav)
        except Unexpected:
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _printed(log: Path, text: bytes) -> float:
    """When the host has printed it. Raises ``Unexpected`` when it does not."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while text not in log.read_bytes():
        if time.perf_counter() > deadline:
            raise Unexpected(f"Azure's host did not print {text.decode()!r} within {PATIENCE_SECONDS:.0f} s.")
        time.sleep(0.002)
    return time.perf_counter()


def _started_at(process_id: int) -> float:
    """Seconds after the machine's start, to 10 ms."""
    # proc(5): starttime is field 22. The second is a name that may hold spaces and ends with a bracket.
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")
