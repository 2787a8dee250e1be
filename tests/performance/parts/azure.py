"""(g) Azure's own host beside the local host, and both beside a function that only reads the body."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localhost.azurite import Azurite
from tests.performance.figures import Cell, ratio_of_pairs
from tests.performance.hosts import (
    AZURE,
    LOCAL,
    OPERATIONS,
    VERIFY,
    Alone,
    Contender,
    Growth,
    Together,
    at_once,
    contenders,
    growth_by_health,
    many_at_a_time,
    one_at_a_time,
)
from tests.performance.load import Outcome
from tests.performance.process import held, proportional_megabytes, resident_megabytes
from tests.performance.reporting.found import Found, Run, Table
from tests.performance.serving import package

CLIENTS, BURST = 16, 200
BURST_SECONDS = 2.0
"""How soon all of a burst shall have their answers (issue 12)."""
_REST_SECONDS = 3.0


@dataclass(frozen=True)
class Plan:
    repetitions: int = 30
    rounds: int = 2
    round_seconds: float = 2.5
    bursts: int = 3
    health_seconds: float = 15.0


QUICK = Plan(repetitions=3, rounds=1, round_seconds=0.5, bursts=1, health_seconds=2.0)


@dataclass(frozen=True)
class Footprint:
    """MB of 10**6 bytes; ``None`` where the system does not tell. ``ready``: before the first measurement."""

    process: str
    ready: float | None
    resident: float | None
    proportional: float | None
    threads: int | None


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``."""
    plan = QUICK if run.quick else Plan()
    run.say("building the package")
    package()
    with (
        tempfile.TemporaryDirectory(prefix="timbre-azure-") as folder,
        Azurite() as azurite,
        contenders(azurite, Path(folder), run.spoken) as both,
    ):
        ready = {number: resident_megabytes(number) for number in _processes(both).values()}
        run.say("one at a time")
        alone = [times for operation in OPERATIONS for times in one_at_a_time(both, operation, plan.repetitions)]
        run.say(f"{CLIENTS} at a time")
        together = [
            loads
            for operation in OPERATIONS
            for loads in many_at_a_time(both, operation, CLIENTS, plan.rounds, plan.round_seconds)
        ]
        run.say(f"{BURST} at once")
        bursts = _bursts(both, plan.bursts)
        footprints = [_footprint(name, number, ready[number]) for name, number in _processes(both).items()]
        run.say("what a request leaves behind")
        growths = [growth for one in both if (growth := growth_by_health(one, CLIENTS, plan.health_seconds))]
    return found_in(alone, together, bursts, footprints, growths)


def found_in(
    alone: Sequence[Alone],
    together: Sequence[Together],
    bursts: Mapping[str, Sequence[Sequence[Outcome]]],
    footprints: Sequence[Footprint],
    growths: Sequence[Growth],
) -> Found:
    tables = [_alone_table(alone), _together_table(together), _bursts_table(bursts), _memory_table(footprints, growths)]
    return Found(tables)


def _bursts(both: Sequence[Contender], number: int) -> dict[str, list[list[Outcome]]]:
    bursts: dict[str, list[list[Outcome]]] = {contender.host: [] for contender in both}
    for _ in range(number):
        for contender in both:
            bursts[contender.host].append(at_once(contender, VERIFY, BURST))
            time.sleep(_REST_SECONDS)
    return bursts


def _processes(both: Sequence[Contender]) -> dict[str, int]:
    """Their numbers by what they are."""
    azure, local = both
    return {
        f"{AZURE} host": azure.service.process.pid,
        f"{AZURE} worker": azure.worker_id,
        f"{LOCAL} host with the app": local.worker_id,
    }


def _footprint(process: str, number: int, ready: float | None) -> Footprint:
    now = held(number)
    return Footprint(process, ready, now.megabytes, proportional_megabytes(number), now.threads)


def _alone_table(alone: Sequence[Alone]) -> Table:
    rows: list[list[Cell]] = []
    for operation in OPERATIONS:
        azure, local = (
            one for host in (AZURE, LOCAL) for one in alone if (one.operation, one.host) == (operation, host)
        )
        rows.append(
            [
                operation,
                *(azure.times.p50, azure.times.p95, local.times.p50, local.times.p95),
                ratio_of_pairs(azure.times, local.times),
                *(azure.bare.p50, ratio_of_pairs(azure.times, azure.bare)),
                *(local.bare.p50, ratio_of_pairs(local.times, local.bare)),
            ]
        )
    header = [
        *("operation", "Azure's p50", "p95", "local p50", "p95", "Azure's over local"),
        *("bare, Azure's", "over it", "bare, local", "over it"),
    ]
    note = (
        "ms; bare: a function on the same host that reads the same body through the same adapter; ratios are medians "
        "over requests taken one right after the other"
    )
    return Table("One at a time", header, rows, note)


def _together_table(together: Sequence[Together]) -> Table:
    local = {one.operation: one.app for one in together if one.host == LOCAL}
    rows: list[list[Cell]] = [
        [
            one.operation,
            one.host,
            *(one.app.answered, _ratio(one.app.answered, local[one.operation].answered)),
            *(one.app.p50, one.app.p95, _ratio(one.app.p50, local[one.operation].p50)),
            *(one.app.refused, one.app.failed),
            *(one.bare.answered, one.bare.p50, _ratio(one.app.p50, one.bare.p50)),
        ]
        for one in together
    ]
    header = [
        *("operation", "host", "answered/s", "over local", "p50", "p95", "p50 over local", "refused", "failed"),
        *("bare answered/s", "p50", "p50 over bare"),
    ]
    note = (
        "ms; closed loop; a refused client rests as long as it is told; a profile is created before each enroll, "
        "outside its time"
    )
    return Table(f"{CLIENTS} at a time", header, rows, note)


def _bursts_table(bursts: Mapping[str, Sequence[Sequence[Outcome]]]) -> Table:
    rows: list[list[Cell]] = []
    for host, repeated in bursts.items():
        for number, outcomes in enumerate(repeated, 1):
            statuses = Counter(outcome.status for outcome in outcomes)
            listed = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
            slowest = max(outcome.seconds for outcome in outcomes)
            refused = [outcome for outcome in outcomes if not 200 <= outcome.status < 300]
            without = sum(outcome.retry_after is None for outcome in refused)
            late = sum(outcome.seconds > BURST_SECONDS for outcome in outcomes)
            rows.append([f"{host}, burst {number}", listed, without, slowest, late])
    header = ["host", "statuses", "refused without Retry-After", "slowest, s", f"later than {BURST_SECONDS:g} s"]
    note = "every connection is open before; 0 is a connection that broke; the clients run on the same cores"
    return Table(f"{BURST} verifies at once", header, rows, note)


def _memory_table(footprints: Sequence[Footprint], growths: Sequence[Growth]) -> Table:
    rows: list[list[Cell]] = [
        [one.process, one.ready, one.resident, one.proportional, one.threads] for one in footprints
    ]
    left = "; ".join(
        f"{growth.host} {growth.for_a_thousand:.2f} MB ({growth.requests:,} requests, "
        f"{growth.before:.0f} to {growth.after:.0f} MB)"
        for growth in growths
    )
    note = (
        "MB; proportional: pages that processes share count in parts. Left behind by 1,000 /health in the bare "
        f"function's worker: {left}"
    )
    return Table("Memory", ["process", "ready", "at the end, resident", "proportional", "threads"], rows, note)


def _ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None
