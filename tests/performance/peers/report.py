"""What the comparison with the peers found, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tests.performance.figures import Cell, Times, table
from tests.performance.peers.contenders import JOBS

TIMBRE: Final = "Timbre"
RESEMBLYZER: Final = "Resemblyzer"
"""As installed: torch and BLAS take as many threads as there are cores."""
ONE_THREAD: Final = "CAM++ in torch, 1 thread"
TWO_THREADS: Final = "CAM++ in torch, 2 threads"
HELD_AGAINST: Final = (ONE_THREAD, TWO_THREADS)
"""Both; the figure is against the one that does better."""
SHERPA: Final = "sherpa-onnx"

THROUGHPUT_TARGET: Final = 3.0
MEMORY_TARGET: Final = 1.0 / 3.0
"""Of Timbre against CAM++ in torch behind FastAPI, the better of the two (issue 14)."""

LEFT_OUT: Final = (
    "Peers: FastAPI and uvicorn, one process, the same recordings as multipart forms. They keep speakers in memory (no "
    "storage, encryption,\nretention, audit, second instance), have no keys, phrases, checks of quality or calibrated "
    "scores; CAM++ in torch and sherpa-onnx hear without voice\nactivity detection. All of that favours them.",
    "Timbre: the local host with the app in it, over 2021-09-05; each request reads its profiles from Azurite (not in "
    "its memory; its processor\ntime stands apart) and notes their use there. No passphrase is listened to, so "
    "pocketsphinx's model is not in the memory.",
)


@dataclass(frozen=True)
class Latency:
    """One client, over HTTP, in turns with the others."""

    job: str
    contender: str
    times: Times


@dataclass(frozen=True)
class Throughput:
    """Clients that send their next request when they have an answer. Milliseconds; ``None`` where not known.

    ``processor`` is the service's processor time for each answer, ``storage`` Azurite's.
    """

    job: str
    clients: int
    contender: str
    answered: float
    p50: float | None
    p95: float | None
    failed: int
    processor: float | None
    storage: float | None


@dataclass(frozen=True)
class Footprint:
    """Resident memory, MB: ready, with ten speakers enrolled and one client served, and after all the load."""

    contender: str
    ready: float | None
    one_client: float | None
    loaded: float | None


@dataclass(frozen=True)
class ColdStart:
    """From nothing to the first answer: Timbre's to an identify among ten, a peer's to an enrolment of as much speech,
    since it knows nobody yet."""

    contender: str
    times: Times


@dataclass(frozen=True)
class PeerReport:
    taken_at: datetime
    source: str
    load: tuple[float | None, float | None]
    """The machine's load average before and after."""
    latency: Sequence[Latency]
    throughput: Sequence[Throughput]
    memory: Sequence[Footprint]
    cold: Sequence[ColdStart]

    @property
    def peers(self) -> list[str]:
        return [one.contender for one in self.memory if one.contender != TIMBRE]

    def throughput_ratio(self, peer: str, job: str) -> float:
        """Timbre's best answers a second over the peer's best, whatever the number of clients."""
        return self._best(TIMBRE, job) / self._best(peer, job)

    def processor_ratio(self, peer: str, job: str) -> float | None:
        """The peer's processor time for an answer over Timbre's with Azurite's."""
        own, theirs = self._processor(TIMBRE, job), self._processor(peer, job)
        return theirs / own if own and theirs else None

    def memory_ratio(self, peer: str) -> float | None:
        """Timbre's over the peer's, after the load."""
        loaded = {one.contender: one.loaded for one in self.memory}
        own, theirs = loaded[TIMBRE], loaded[peer]
        return own / theirs if own and theirs else None

    def _best(self, contender: str, job: str) -> float:
        return max(one.answered for one in self.throughput if (one.contender, one.job) == (contender, job))

    def _processor(self, contender: str, job: str) -> float | None:
        found = [
            one.processor + (one.storage or 0.0)
            for one in self.throughput
            if (one.contender, one.job) == (contender, job) and one.processor
        ]
        return sum(found) / len(found) if found else None


def rendered(report: PeerReport) -> str:
    return "\n".join([_head(report), _ratios(report), _throughput(report), _rest(report), *LEFT_OUT, ""])


def _head(report: PeerReport) -> str:
    before, after = ("-" if one is None else f"{one:.1f}" for one in report.load)
    when = f"{report.taken_at:%Y-%m-%d %H:%M} UTC"
    return f"{report.source}, {when}, load of the machine {before} before, {after} after\n"


def _ratios(report: PeerReport) -> str:
    header = (
        "Timbre against", *(f"{job} {what}" for job in JOBS for what in ("throughput", "processor")), "memory",
    )  # fmt: skip
    rows: list[Sequence[Cell]] = [
        (
            peer,
            *_flat((report.throughput_ratio(peer, job), report.processor_ratio(peer, job)) for job in JOBS),
            report.memory_ratio(peer),
        )
        for peer in report.peers
    ]
    limits = f"throughput at least {THROUGHPUT_TARGET:.1f}, memory at most {MEMORY_TARGET:.2f}"
    note = f"targets against CAM++ in torch: {limits}"
    return table("Ratios: times as many answers, as much processor time saved, as much memory", header, rows, note)


def _throughput(report: PeerReport) -> str:
    header = (
        "closed loop", "clients", "service", "answered/s", "p50 ms", "p95 ms", "failed", "processor ms", "storage ms",
    )  # fmt: skip
    rows: list[Sequence[Cell]] = [
        (
            one.job, one.clients, one.contender, one.answered, one.p50, one.p95, one.failed, one.processor, one.storage,
        )
        for one in report.throughput
    ]  # fmt: skip
    return table("Throughput; processor time for each answer", header, rows)


def _rest(report: PeerReport) -> str:
    latency: list[Sequence[Cell]] = [(one.job, one.contender, one.times.p50, one.times.p95) for one in report.latency]
    memory: list[Sequence[Cell]] = [(one.contender, one.ready, one.one_client, one.loaded) for one in report.memory]
    cold: list[Sequence[Cell]] = [(one.contender, one.times.p50) for one in report.cold]
    return "\n".join(
        [
            table("One client, in turns", ("job", "service", "p50 ms", "p95 ms"), latency),
            table("Resident memory, MB", ("service", "ready", "one client", "after the load"), memory),
            table("Cold start to the first answer", ("service", "p50 ms"), cold),
        ]
    )


def _flat(pairs: Iterable[tuple[Cell, Cell]]) -> list[Cell]:
    return [cell for pair in pairs for cell in pair]
