"""What the first request in a new process waits for, part by part; and the host's own start to a first answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from localhost.azurite import Azurite
from tests.performance.bare import timed
from tests.performance.client import Client, enroll
from tests.performance.figures import Cell, Measure, Result, Table, Target, milliseconds
from tests.performance.first_request import KEY, PROFILES, WAV
from tests.performance.recordings import SECONDS, material
from tests.performance.serving import Run, serving, settings

STARTS, QUICK_STARTS = 7, 2
TARGET: Final = Target("cold start to the end of the first identify, over Python's own start", 1.0, "s")
PARTS: Final = {
    "python": "Python itself",
    "imports": "imports of function_app.py",
    "graph": "settings and object graph",
    "networks": "ONNX Runtime and both networks",
    "first": "first identify",
}
"""What a new process does until its first answer, in this order."""

_REPOSITORY = Path(__file__).resolve().parents[3]


def measured(run: Run) -> Result:
    """Raises ``CannotStart``, ``Unexpected``."""
    starts = QUICK_STARTS if run.quick else STARTS
    with Azurite() as azurite, tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        with serving(azurite) as service:
            client = Client(service.url, service.key)
            enrolled = enroll(client, material())
            client.close()
        wav.write(material().speech[SECONDS])
        wav.flush()
        about = {PROFILES: ",".join(enrolled.candidates), WAV: wav.name, KEY: service.key}
        laps = [_laps({**settings(azurite), **about}) for _ in range(starts)]
        identify = enrolled.identify(material().speech[SECONDS])
        hosts = []
        for _ in range(starts):
            started = time.perf_counter()
            with serving(azurite) as service:
                client = Client(service.url, service.key)
                client.send(identify)
                hosts.append(time.perf_counter() - started)
                client.close()
    series = {title: [lap[name] for lap in laps] for name, title in PARTS.items()}
    totals = [sum(lap[name] for name in PARTS) for lap in laps]
    series["whole, to the first answer"] = totals
    series["whole, over Python itself"] = over = [
        total - lap["python"] for total, lap in zip(totals, laps, strict=True)
    ]
    series["(second identify)"] = [lap["second"] for lap in laps]
    series["the service on its host, to the first answer over HTTP"] = hosts
    rows: list[list[Cell]] = [
        [title, milliseconds(seconds), milliseconds(seconds, 95)] for title, seconds in series.items()
    ]
    middle = milliseconds(over)
    assert middle is not None
    measure = Measure(TARGET, middle / 1000, f"median of {starts} starts")
    return Result([Table("Cold start", ["part", "p50", "p95"], rows, f"ms, {starts} starts.")], [measure])


def _laps(environment: Mapping[str, str]) -> dict[str, float]:
    """Seconds by part, and of a second identify."""
    python = timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    child = subprocess.run(
        [sys.executable, "-m", "tests.performance.first_request"],
        cwd=_REPOSITORY,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    laps: dict[str, float] = json.loads(child.stdout)
    return {"python": python, **laps}
