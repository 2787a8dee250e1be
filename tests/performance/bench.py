"""How fast Timbre is, as ratios to the work that cannot be saved: ``python dev.py bench [--json FILE] [--quick]``.

One run on one machine: the real service over HTTP with its Azurite, and in this process the same networks on the same
audio. What is compared takes turns, so that a busy moment falls on both. ``docs/performance.md`` explains the figures.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from localhost.azurite import Azurite
from localhost.failure import CannotStart
from tests.performance import cold_start
from tests.performance.bare import Bare
from tests.performance.client import Client, Unexpected, enroll
from tests.performance.in_process import in_process
from tests.performance.process import resident_megabytes
from tests.performance.recordings import Material, material
from tests.performance.report import Memory, Report, as_json, rendered
from tests.performance.rounds import BREAKDOWN_SECONDS, among_many, over_http, where_time_goes
from tests.service import RunningService, running_service

_CANNOT = 2


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    try:
        report = measured(material(), repetitions=6 if options.quick else 30, starts=2 if options.quick else 5)
    except (CannotStart, Unexpected) as problem:
        print(problem, file=sys.stderr)
        return _CANNOT
    print(rendered(report))
    if options.json:
        options.json.write_text(json.dumps(as_json(report), indent=2) + "\n", encoding="utf-8")
    return 0


def measured(spoken: Material, repetitions: int, starts: int) -> Report:
    """Raises ``CannotStart``, ``Unexpected``."""
    with tempfile.TemporaryDirectory(prefix="timbre-bench-") as folder, Azurite() as azurite:
        environment = {
            "VOICE_STORAGE": azurite.connection_string,
            "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(os.urandom(32)).decode(),
        }
        starting = time.perf_counter()
        with running_service(Path(folder) / "service.log", environment=environment) as service:
            ready_seconds = time.perf_counter() - starting
            return _with_service(
                service, {**os.environ, **environment}, Path(folder), spoken, repetitions, starts, ready_seconds
            )


def _with_service(
    service: RunningService,
    environment: Mapping[str, str],
    folder: Path,
    spoken: Material,
    repetitions: int,
    starts: int,
    ready_seconds: float,
) -> Report:
    began, load = time.perf_counter(), _load()
    client = Client(service.url, service.key)
    memory = [_memory("when ready", service, client)]
    enrolled = enroll(client, spoken)
    memory.append(_memory("after enrolling", service, client))
    here = in_process(environment, service.key)
    bare = Bare.of(here.services)
    comparisons = over_http(client, bare, spoken, enrolled, repetitions)
    memory.append(_memory("after the comparison", service, client))
    breakdowns = where_time_goes(client, here, spoken, enrolled, repetitions)
    wav = folder / "speech.wav"
    wav.write_bytes(spoken.speech[BREAKDOWN_SECONDS])
    cold, cold_total = cold_start.measure(environment, service.key, enrolled.candidates, wav, starts)
    comparisons += among_many(client, bare, spoken, enrolled, repetitions)
    memory.append(_memory("after everything", service, client))
    client.close()
    return Report(
        taken_at=datetime.now(UTC),
        source=spoken.source,
        seconds=time.perf_counter() - began + ready_seconds,
        load=(load, _load()),
        comparisons=comparisons,
        breakdowns=breakdowns,
        ready_seconds=ready_seconds,
        first_enroll_seconds=enrolled.first_seconds,
        cold=cold,
        cold_total=cold_total,
        memory=memory,
    )


def _memory(when: str, service: RunningService, client: Client) -> Memory:
    return Memory(when, client.requests, resident_megabytes(service.process.pid))


def _load() -> float | None:
    return os.getloadavg()[0] if sys.platform != "win32" else None


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it run, not how fast")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
