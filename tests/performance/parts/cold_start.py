"""(e) What the first request in a new process waits for, split into its parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localhost.azurite import Azurite
from tests.performance.client import Client, enroll
from tests.performance.figures import Cell, Times
from tests.performance.parts.first_request import KEY, PROFILES, WAV
from tests.performance.reporting.found import Bars, Found, Run, Table
from tests.performance.reporting.targets import COLD_START, Measure
from tests.performance.rounds import BREAKDOWN_SECONDS
from tests.performance.serving import serving, settings

_REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class ColdStart:
    """Seconds. ``python`` is a process that does nothing; the others come behind it in this order."""

    python: float
    imports: float
    """``function_app.py`` with all its blueprints."""
    storage: float
    """Settings and the object graph; nothing is asked of storage yet."""
    sessions: float
    """ONNX Runtime itself, and both networks opened."""
    request: float
    """The first identify: connections and tables opened, key looked up, candidates read, recording judged."""
    second_request: float
    """The next one, for comparison."""

    @property
    def total(self) -> float:
        """From nothing to the end of the first request."""
        return self.python + self.imports + self.storage + self.sessions + self.request


STARTS, QUICK_STARTS = 7, 2
_NAMES = {
    "python": "Python itself",
    "imports": "imports of function_app.py",
    "storage": "settings and object graph",
    "sessions": "ONNX Runtime and both networks",
    "request": "first identify",
    "second_request": "(second identify)",
}


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``."""
    with tempfile.TemporaryDirectory(prefix="timbre-cold-") as name, Azurite() as azurite:
        folder = Path(name)
        starting = time.perf_counter()
        with serving(azurite, folder) as service:
            ready_seconds = time.perf_counter() - starting
            client = Client(service.url, service.key)
            enrolled = enroll(client, run.spoken)
            client.close()
        wav = folder / "speech.wav"
        wav.write_bytes(run.spoken.speech[BREAKDOWN_SECONDS])
        starts = QUICK_STARTS if run.quick else STARTS
        found = []
        for number in range(starts):
            run.say(f"start {number + 1} of {starts}")
            found.append(_one(settings(azurite), service.key, enrolled.candidates, wav))
    return found_in(found, ready_seconds, enrolled.first_seconds)


def found_in(starts: Sequence[ColdStart], ready_seconds: float, first_enroll_seconds: float) -> Found:
    times = {name: Times.of_seconds(getattr(one, name) for one in starts) for name in _NAMES}
    total = Times.of_seconds(one.total for one in starts)
    over = Times.of_seconds(one.total - one.python for one in starts)
    rows: list[list[Cell]] = [[title, times[name].p50, times[name].p95] for name, title in _NAMES.items()]
    rows += [["whole, to the first answer", total.p50, total.p95], ["whole, over Python itself", over.p50, over.p95]]
    note = (
        f"ms, {len(starts)} starts. The local service was ready after {ready_seconds:.1f} s, its first enrollment over "
        f"HTTP took {1000 * first_enroll_seconds:.0f} ms"
    )
    table = Table("Cold start, a process of its own", ["part", "p50", "p95"], rows, note)
    parts = [(title, times[name].p50) for name, title in _NAMES.items() if name != "second_request"]
    remark = f"median of {len(starts)} starts"
    return Found(
        [table], bars=[Bars("Cold start", "ms", parts)], measures=[Measure(COLD_START, over.p50 / 1_000, remark)]
    )


def _one(environment: Mapping[str, str], key: str, profile_ids: list[str], wav: Path) -> ColdStart:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    python = time.perf_counter() - started
    own = {PROFILES: ",".join(profile_ids), WAV: str(wav), KEY: key}
    child = subprocess.run(
        [sys.executable, "-m", "tests.performance.parts.first_request"],
        cwd=_REPOSITORY,
        env={**os.environ, **environment, **own},
        stdout=subprocess.PIPE,
        check=True,
    )
    return ColdStart(python=python, **json.loads(child.stdout))
