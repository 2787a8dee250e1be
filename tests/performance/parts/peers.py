"""(b) The same jobs done the way a team would otherwise do them: ``tests.performance.peers`` in the report's tables."""

from __future__ import annotations

from collections.abc import Sequence

from localhost.failure import CannotStart
from tests.performance.figures import Cell
from tests.performance.peers.comparison import QUICK, Plan, compared
from tests.performance.peers.contenders import JOBS
from tests.performance.peers.report import HELD_AGAINST, LEFT_OUT, PeerReport
from tests.performance.reporting.found import Bars, Found, Run, Table
from tests.performance.reporting.targets import MEMORY, THROUGHPUT, Measure
from tools.evaluation.peer_environment import PeerMissing


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, also when the peers cannot be installed; ``Unexpected``."""
    try:
        report = compared(run.spoken, QUICK if run.quick else Plan())
    except PeerMissing as missing:
        raise CannotStart(str(missing)) from missing
    return found_in(report)


def found_in(report: PeerReport) -> Found:
    ratios = [(f"{job}, against {peer}", report.throughput_ratio(peer, job)) for peer in report.peers for job in JOBS]
    bars = Bars("Throughput of Timbre over its peers", "times", ratios, limit=THROUGHPUT.limit)
    return Found(_tables(report), bars=[bars], measures=[_throughput(report), _memory(report)])


def _tables(report: PeerReport) -> list[Table]:
    ratios: list[Sequence[Cell]] = []
    for peer in report.peers:
        cells: list[Cell] = []
        for job in JOBS:
            cells += [report.throughput_ratio(peer, job), report.processor_ratio(peer, job)]
        ratios.append([peer, *cells, report.memory_ratio(peer)])
    header = ["Timbre against", *(f"{job} {what}" for job in JOBS for what in ("throughput", "processor")), "memory"]
    note = "times as many answers, as much processor time saved, as much memory. " + " ".join(LEFT_OUT)
    load: list[Sequence[Cell]] = [
        [one.job, one.clients, one.contender, one.answered, one.p50, one.p95, one.failed, one.processor, one.storage]
        for one in report.throughput
    ]
    loop = ["job", "clients", "service", "answered/s", "p50", "p95", "failed", "processor", "storage"]
    latency: list[Sequence[Cell]] = [[one.job, one.contender, one.times.p50, one.times.p95] for one in report.latency]
    memory: list[Sequence[Cell]] = [[one.contender, one.ready, one.one_client, one.loaded] for one in report.memory]
    cold: list[Sequence[Cell]] = [[one.contender, one.times.p50] for one in report.cold]
    return [
        Table("Ratios", header, ratios, " ".join(note.split()).removesuffix(".")),
        Table("Throughput", loop, load, "closed loop; ms; processor and storage: processor time for each answer"),
        Table("One client, in turns", ["job", "service", "p50", "p95"], latency, "ms"),
        Table("Resident memory", ["service", "ready", "one client", "after the load"], memory, "MB"),
        Table("Cold start to the first answer", ["service", "p50"], cold, "ms"),
    ]


def _held_against(report: PeerReport) -> list[str]:
    return [peer for peer in report.peers if peer in HELD_AGAINST]


def _throughput(report: PeerReport) -> Measure:
    found = {(peer, job): report.throughput_ratio(peer, job) for peer in _held_against(report) for job in JOBS}
    (peer, job), least = min(found.items(), key=lambda one: one[1])
    others = ", ".join(f"{one:.1f}x" for one in sorted(found.values())[1:])
    return Measure(THROUGHPUT, least, f"{job} against {peer}, the least of {len(found)}: also {others}")


def _memory(report: PeerReport) -> Measure:
    found = {peer: report.memory_ratio(peer) for peer in _held_against(report)}
    known = {peer: ratio for peer, ratio in found.items() if ratio is not None}
    if not known:
        return Measure(MEMORY, None, "this system does not tell the memory of a process")
    peer, most = max(known.items(), key=lambda one: one[1])
    return Measure(MEMORY, most, f"against {peer}, after the load")
