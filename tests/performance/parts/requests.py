"""(a) Verify and identify over HTTP against the work that cannot be saved, and where their time goes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localhost.azurite import Azurite
from tests.performance.bare import Bare
from tests.performance.client import Client, Enrolled, enroll
from tests.performance.figures import Cell, ratio_of_pairs
from tests.performance.in_process import in_process
from tests.performance.process import resident_megabytes
from tests.performance.recordings import CANDIDATES
from tests.performance.reporting.found import Bars, Found, Run, Table
from tests.performance.reporting.targets import IDENTIFY, VERIFY, Measure, Target
from tests.performance.rounds import (
    BREAKDOWN_SECONDS,
    Breakdown,
    Comparison,
    among_many,
    over_http,
    where_time_goes,
)
from tests.performance.serving import serving, settings
from tests.service import RunningService

REPETITIONS, QUICK_REPETITIONS = 30, 6


@dataclass(frozen=True)
class Memory:
    when: str
    requests: int
    megabytes: float | None
    """Resident; ``None`` where the system does not tell."""


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``. Once in a process: it opens the service's objects in this one."""
    repetitions = QUICK_REPETITIONS if run.quick else REPETITIONS
    with (
        tempfile.TemporaryDirectory(prefix="timbre-requests-") as folder,
        Azurite() as azurite,
        serving(azurite, Path(folder)) as service,
    ):
        client = Client(service.url, service.key)
        memory = [_memory("when ready", service, client)]
        run.say("enrolling")
        enrolled = enroll(client, run.spoken)
        memory.append(_memory("after enrolling", service, client))
        comparisons, breakdowns = _compared(run, azurite, client, enrolled, service.key, repetitions)
        memory.append(_memory("after everything", service, client))
        client.close()
    tables = [
        _comparison_table(comparisons),
        *(_parts_table(one) for one in breakdowns),
        *(_calls_table(one) for one in breakdowns),
        Table(
            "Memory of the service",
            ["when", "requests", "MB resident"],
            [[one.when, one.requests, one.megabytes] for one in memory],
        ),
    ]
    ratios = [(f"{one.operation}, {one.audio_seconds} s", ratio_of_pairs(one.http, one.bare)) for one in comparisons]
    bars = Bars("Over HTTP against the bare work", "times the bare work", ratios)
    return Found(tables, bars=[bars], measures=[_ratio(VERIFY, comparisons), _ratio(IDENTIFY, comparisons)])


def _compared(
    run: Run, azurite: Azurite, client: Client, enrolled: Enrolled, key: str, repetitions: int
) -> tuple[list[Comparison], list[Breakdown]]:
    here = in_process({**os.environ, **settings(azurite)}, key)
    bare = Bare.of(here.services)
    run.say("over HTTP and bare, in turns")
    comparisons = over_http(client, bare, run.spoken, enrolled, repetitions)
    run.say("where the time goes")
    breakdowns = where_time_goes(client, here, run.spoken, enrolled, repetitions)
    run.say("in a larger subscription")
    return comparisons + among_many(client, bare, run.spoken, enrolled, repetitions), breakdowns


def _memory(when: str, service: RunningService, client: Client) -> Memory:
    return Memory(when, client.requests, resident_megabytes(service.process.pid))


def _ratio(target: Target, comparisons: Sequence[Comparison]) -> Measure:
    operation = "verify" if target is VERIFY else "identify"
    found = next(one for one in comparisons if one.operation == operation and one.audio_seconds == BREAKDOWN_SECONDS)
    remark = f"median of {len(found.http.milliseconds)} pairs; {found.speech_seconds:.1f} s of speech"
    return Measure(target, ratio_of_pairs(found.http, found.bare), remark)


def _comparison_table(comparisons: Sequence[Comparison]) -> Table:
    rows: list[list[Cell]] = [
        [
            f"{one.operation}, {one.audio_seconds} s",
            one.speech_seconds,
            one.http.p50,
            one.http.p95,
            one.bare.p50,
            one.bare.p95,
            ratio_of_pairs(one.http, one.bare),
        ]
        for one in comparisons
    ]
    header = ["operation", "speech s", "HTTP p50", "p95", "bare p50", "p95", "ratio"]
    note = (
        "ms; bare is voice activity + features + model, for verify also the phrase; identify is against "
        f"{CANDIDATES}; the ratio is the median over pairs taken one right after the other"
    )
    return Table("Ratios", header, rows, note)


def _parts_table(one: Breakdown) -> Table:
    whole = one.http.p50
    named = sum(times.p50 for times in one.stages.values()) + one.storage.p50
    parts = {**one.stages, "storage (see below)": one.storage, "host (/health)": one.health}
    rows: list[list[Cell]] = [[name, times.p50, times.p95, _share(times.p50, whole)] for name, times in parts.items()]
    rows += [
        ["function beyond its parts *", one.use_case.p50 - named, None, _share(one.use_case.p50 - named, whole)],
        ["HTTP beyond function and host *", whole - one.use_case.p50 - one.health.p50, None, None],
        ["whole, over HTTP", whole, one.http.p95, "100 %"],
    ]
    note = "ms; * differences of medians: noise, or below zero where parts run side by side"
    title = f"Where {one.operation} of {BREAKDOWN_SECONDS} s spends its time"
    return Table(title, ["part", "p50", "p95", "share"], rows, note)


def _calls_table(one: Breakdown) -> Table:
    rows: list[list[Cell]] = [[call.what, call.calls, call.each.p50, call.each.p95] for call in one.stored]
    note = f"ms; in all {one.storage.p50:.1f} ms in which at least one call was under way"
    return Table(f"Storage calls of {one.operation}", ["call", "a request", "p50", "p95"], rows, note)


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"
