"""What a run found, and how it is shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.performance.figures import Cell, Times, ratio_of_pairs, table
from tests.performance.recordings import CANDIDATES
from tests.performance.rounds import BREAKDOWN_SECONDS, Breakdown, Comparison

TARGET_IDENTIFY = 2.0
"""Issue 2: identify of 4 s against 10 profiles over voice activity, features and network."""


@dataclass(frozen=True)
class Memory:
    when: str
    requests: int
    megabytes: float | None
    """Resident; ``None`` where the system does not tell."""


@dataclass(frozen=True)
class Report:
    taken_at: datetime
    source: str
    seconds: float
    load: tuple[float | None, float | None]
    """Processes that wanted to run, over the minute before the run and before its end: the cores should be no fewer."""
    comparisons: list[Comparison]
    breakdowns: list[Breakdown]
    ready_seconds: float
    first_enroll_seconds: float
    cold: dict[str, Times]
    cold_total: Times
    memory: list[Memory]

    @property
    def identify_ratio(self) -> float:
        found = next(
            one for one in self.comparisons if one.operation == "identify" and one.audio_seconds == BREAKDOWN_SECONDS
        )
        return ratio_of_pairs(found.http, found.bare)


def rendered(report: Report) -> str:
    before, after = (f"{one:.1f}" if one is not None else "?" for one in report.load)
    verdict = "met" if report.identify_ratio <= TARGET_IDENTIFY else "missed"
    head = [
        f"Timbre bench, {report.taken_at:%Y-%m-%d %H:%M} UTC: {report.source}; {_machine()}; load {before} before, "
        f"{after} at the end; {report.seconds:.0f} s.",
        f"Target: identify of {BREAKDOWN_SECONDS} s against {CANDIDATES} profiles at most {TARGET_IDENTIFY:g}x "
        f"the bare work: {report.identify_ratio:.2f}x, {verdict}.",
        "",
    ]
    parts = [
        _compared(report),
        *(_parts(one) for one in report.breakdowns),
        *(_calls(one) for one in report.breakdowns),
    ]
    return "\n".join([*head, *parts, _cold(report), _memory(report)])


def as_json(report: Report) -> dict[str, object]:
    """Every figure in milliseconds, and the tables' ratios."""
    return {
        "taken_at": report.taken_at.isoformat(),
        "machine": _machine(),
        "source": report.source,
        "load": report.load,
        "identify_ratio": report.identify_ratio,
        "comparisons": [_comparison(one) for one in report.comparisons],
        "breakdowns": [_breakdown(one) for one in report.breakdowns],
        "cold_start": {**_times(report.cold), "total": _quantiles(report.cold_total)},
        "service_ready_ms": 1000.0 * report.ready_seconds,
        "first_enroll_ms": 1000.0 * report.first_enroll_seconds,
        "memory": [{"when": one.when, "requests": one.requests, "megabytes": one.megabytes} for one in report.memory],
    }


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _compared(report: Report) -> str:
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
        for one in report.comparisons
    ]
    header = ["operation", "speech s", "HTTP p50", "p95", "bare p50", "p95", "ratio"]
    note = (
        "(ms; bare is voice activity + features + model, for verify also the phrase;\n"
        f" identify is against {CANDIDATES}; the ratio is the median over pairs taken one right after the other)"
    )
    return table("Over HTTP against the bare work", header, rows, note)


def _parts(one: Breakdown) -> str:
    whole = one.http.p50
    named = sum(times.p50 for times in one.stages.values()) + one.storage.p50
    parts = {**one.stages, "storage (see below)": one.storage, "host (/health)": one.health}
    rows: list[list[Cell]] = [[name, times.p50, times.p95, _share(times.p50, whole)] for name, times in parts.items()]
    rows += [
        ["function beyond its parts *", one.use_case.p50 - named, None, _share(one.use_case.p50 - named, whole)],
        ["HTTP beyond function and host *", whole - one.use_case.p50 - one.health.p50, None, None],
        ["whole, over HTTP", whole, one.http.p95, "100 %"],
    ]
    note = "(* differences of medians: noise, or below zero where parts run side by side)"
    title = f"Where {one.operation} of {BREAKDOWN_SECONDS} s spends its time"
    return table(title, ["part", "p50", "p95", "share"], rows, note)


def _calls(one: Breakdown) -> str:
    rows: list[list[Cell]] = [[call.what, call.calls, call.each.p50, call.each.p95] for call in one.stored]
    note = f"(in all {one.storage.p50:.1f} ms in which at least one call was under way)"
    return table(f"Storage calls of {one.operation}", ["call", "a request", "p50", "p95"], rows, note)


def _cold(report: Report) -> str:
    names = {
        "python": "Python itself",
        "imports": "imports of function_app.py",
        "storage": "settings and object graph",
        "sessions": "ONNX Runtime and both networks",
        "request": "first identify",
        "second_request": "(second identify)",
    }
    rows: list[list[Cell]] = [[title, report.cold[name].p50, report.cold[name].p95] for name, title in names.items()]
    over = report.cold_total.p50 - report.cold["python"].p50
    rows.append(["whole, to the first answer", report.cold_total.p50, report.cold_total.p95])
    note = (
        f"({over:.0f} ms over Python's own start. The local service with Azurite was ready after "
        f"{report.ready_seconds:.1f} s;\n "
        f"its first enrollment over HTTP took {1000 * report.first_enroll_seconds:.0f} ms)"
    )
    return table("Cold start, a process of its own", ["part", "p50", "p95"], rows, note)


def _memory(report: Report) -> str:
    rows: list[list[Cell]] = [[one.when, one.requests, one.megabytes] for one in report.memory]
    return table("Memory of the service", ["when", "requests", "MB resident"], rows)


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"


def _quantiles(times: Times) -> dict[str, float]:
    return {"p50_ms": times.p50, "p95_ms": times.p95}


def _times(named: Mapping[str, Times]) -> dict[str, object]:
    return {name: _quantiles(times) for name, times in named.items()}


def _comparison(one: Comparison) -> dict[str, object]:
    return {
        "operation": one.operation,
        "audio_seconds": one.audio_seconds,
        "speech_seconds": one.speech_seconds,
        **_times({"http": one.http, "bare": one.bare}),
        "ratio": ratio_of_pairs(one.http, one.bare),
    }


def _breakdown(one: Breakdown) -> dict[str, object]:
    return {
        "operation": one.operation,
        "stages": _times(one.stages),
        **_times({"use_case": one.use_case, "storage": one.storage, "health": one.health, "http": one.http}),
        "storage_calls": [{"call": call.what, "a_request": call.calls, **_quantiles(call.each)} for call in one.stored],
    }
