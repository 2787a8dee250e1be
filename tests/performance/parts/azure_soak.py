"""(j) The soak on Azure's own host: so many minutes, and whether the last answers take as long as the first.

The worker keeps two kilobytes of each request unless the adapter makes it forget them: that would be 2 MB for 1,000
requests, twice the limit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from localhost.azurite import Azurite
from tests.performance.figures import Cell, Times
from tests.performance.parts import soak
from tests.performance.parts.soak import Soaked
from tests.performance.process import Held, held, worker_of
from tests.performance.reporting.found import Found, Run, Table
from tests.performance.reporting.targets import AZURE_SLOPE
from tests.performance.serving import package, serving_on_azure

QUICK_MINUTES = 0.5
TITLE = "Soak on Azure's host"
MINUTE = 60.0
"""Seconds; of a shorter soak its thirds stand in for its first and last minute."""


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``."""
    run.say("building the package")
    limit = MINUTE * (min(run.minutes, QUICK_MINUTES) if run.quick else run.minutes)
    with (
        tempfile.TemporaryDirectory(prefix="timbre-azure-soak-") as folder,
        Azurite() as azurite,
        serving_on_azure(azurite, Path(folder), package()) as service,
    ):
        host_id = service.process.pid
        before = held(host_id)
        soaked = soak.soak(run, service, worker_of(host_id), lambda _, seconds: seconds < limit)
        return found_in(soaked, before, held(host_id))


def found_in(soaked: Soaked, host_before: Held, host_after: Held) -> Found:
    worker = soak.found_in(soaked, AZURE_SLOPE, TITLE)
    length = min(MINUTE, soaked.seconds / 3)
    ended = soaked.ledger.answers[-1][0] if soaked.ledger.answers else 0.0
    began = ended - soaked.seconds
    rows = [
        _row("first", soaked.ledger.answers, began, began + length),
        _row("last", soaked.ledger.answers, ended - length, ended),
    ]
    note = (
        f"ms, requests of all kinds that were not refused, {length:.0f} s at either end; the host's own process held "
        f"{_megabytes(host_before)} MB before and {_megabytes(host_after)} MB after"
    )
    times = Table(f"{TITLE}: first and last minute", ["minute", "answers", "p50", "p95"], rows, note)
    return Found([*worker.tables, times], curves=worker.curves, measures=worker.measures)


def _row(title: str, answers: Sequence[tuple[float, float]], start: float, end: float) -> list[Cell]:
    taken = [seconds for at, seconds in answers if start <= at <= end]
    times = Times.of_seconds(taken)
    return [title, len(taken), times.p50 if taken else None, times.p95 if taken else None]


def _megabytes(process: Held) -> str:
    return "-" if process.megabytes is None else f"{process.megabytes:.0f}"
