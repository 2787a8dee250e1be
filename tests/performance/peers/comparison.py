"""Timbre and its peers in one run, in turns: ``compared`` is what the full bench calls."""

from __future__ import annotations

import base64
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from localhost.azurite import Azurite
from shared.config import MODEL
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from tests.performance.client import Unexpected
from tests.performance.figures import Times, percentile
from tests.performance.load import Outcome, closed_loop
from tests.performance.peers.adapter import adapted
from tests.performance.peers.contenders import (
    JOBS,
    SECONDS,
    Contender,
    enrolment,
    peer,
    running_peer,
    timbre,
)
from tests.performance.peers.processes import processor_seconds, resident_megabytes
from tests.performance.peers.report import (
    ONE_THREAD,
    RESEMBLYZER,
    SHERPA,
    TIMBRE,
    TWO_THREADS,
    ColdStart,
    Footprint,
    Latency,
    PeerReport,
    Throughput,
)
from tests.performance.recordings import Material
from tests.service import running_service
from tools.evaluation.peer_environment import peer_python


@dataclass(frozen=True)
class Plan:
    repetitions: int = 20
    """Of each job with one client."""
    seconds: float = 3.0
    """Of each service's turn under load."""
    rounds: int = 2
    clients: tuple[int, ...] = (1, 2, 4, 8)
    starts: int = 2


QUICK = Plan(repetitions=3, seconds=0.7, rounds=1, clients=(1, 2), starts=1)
"""Does it run, not how fast."""


def compared(spoken: Material, plan: Plan = Plan()) -> PeerReport:
    """Start Azurite, Timbre and the peers, measure, stop them. Some four minutes as planned.

    Everything is started here, so that memory and storage are this comparison's alone.

    Raises
    ------
    PeerMissing
        The peers' environment cannot be installed, or one does not start.
    CannotStart
        Azurite or the local host.
    Unexpected
        A service does not recognise the speaker, or refuses.
    """
    python, load = peer_python(), _load()
    with tempfile.TemporaryDirectory(prefix="timbre-peers-") as name, Azurite() as azurite:
        folder = Path(name)
        model = folder / "for-sherpa.onnx"
        adapted(CATALOGUE_FILE.parent / read_catalogue().speaker(MODEL.default or "").file.name, model)
        settings = {
            RESEMBLYZER: {"PEER_EMBEDDER": "resemblyzer"},
            ONE_THREAD: {"PEER_EMBEDDER": "campplus-torch", "PEER_THREADS": "1"},
            TWO_THREADS: {"PEER_EMBEDDER": "campplus-torch", "PEER_THREADS": "2"},
            SHERPA: {"PEER_EMBEDDER": "sherpa-onnx", "PEER_MODEL": str(model)},
        }
        environment = {
            "VOICE_STORAGE": azurite.connection_string,
            "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(os.urandom(32)).decode(),
        }
        with _running(python, folder, spoken, settings, environment) as (contenders, ready):
            latency = list(_latency(contenders, plan))
            one_client = _memory(contenders)
            throughput = list(_throughput(contenders, azurite.process.pid, plan))
            loaded = _memory(contenders)
            asked = contenders[0]
        cold = [_cold_timbre(folder, environment, asked, plan)]
        cold += [_cold_peer(python, folder, name, settings[name], spoken, plan) for name in settings]
    return PeerReport(
        taken_at=datetime.now(UTC),
        source=spoken.source,
        load=(load, _load()),
        latency=latency,
        throughput=throughput,
        memory=[Footprint(name, ready[name], one_client[name], loaded[name]) for name in ready],
        cold=cold,
    )


@contextmanager
def _running(
    python: Path,
    folder: Path,
    spoken: Material,
    settings: Mapping[str, Mapping[str, str]],
    environment: Mapping[str, str],
) -> Iterator[tuple[list[Contender], dict[str, float | None]]]:
    """All at once, the speakers enrolled, Timbre first; and their memory when they were ready for a first request."""
    with ExitStack() as stack:
        service = stack.enter_context(running_service(folder / "timbre.log", environment=environment))
        peers = [stack.enter_context(running_peer(python, folder, *one)) for one in settings.items()]
        ready = {TIMBRE: resident_megabytes(service.process.pid)}
        ready |= {one.name: resident_megabytes(one.process.pid) for one in peers}
        yield [timbre(service, spoken), *(peer(one, spoken) for one in peers)], ready


def _latency(contenders: Sequence[Contender], plan: Plan) -> Iterator[Latency]:
    connections = {one.name: one.connect() for one in contenders}
    for job in JOBS:
        seconds: dict[str, list[float]] = {one.name: [] for one in contenders}
        for _ in range(plan.repetitions):
            for one in contenders:
                outcome = one.jobs[job](connections[one.name])
                if outcome.status != 200:
                    raise Unexpected(f"{one.name} answered a {job} with {outcome.status}.")
                seconds[one.name].append(outcome.seconds)
        yield from (Latency(job, name, Times.of_seconds(taken)) for name, taken in seconds.items())
    for connection in connections.values():
        connection.close()


@dataclass(frozen=True)
class _Turn:
    outcomes: Sequence[Outcome]
    seconds: float
    processor_seconds: float | None
    storage_seconds: float | None

    @property
    def good(self) -> list[float]:
        """Milliseconds of the answers."""
        return [1000 * one.seconds for one in self.outcomes if one.status == 200]

    def each(self, seconds: float | None) -> float | None:
        """Milliseconds for each answer."""
        return 1000 * seconds / len(self.good) if seconds is not None and self.good else None


def _turn(contender: Contender, job: str, clients: int, seconds: float, storage: int | None) -> _Turn:
    """``storage`` is Azurite's process, for the service that uses it."""
    before = processor_seconds(contender.process_id), processor_seconds(storage) if storage else None
    found, took = closed_loop(contender.connect, contender.jobs[job], clients, seconds)
    after = processor_seconds(contender.process_id), processor_seconds(storage) if storage else None
    own, stored = (None if a is None or b is None else b - a for a, b in zip(before, after, strict=True))
    return _Turn(found, took, own, stored)


def _throughput(contenders: Sequence[Contender], azurite: int, plan: Plan) -> Iterator[Throughput]:
    for job in JOBS:
        for clients in plan.clients:
            turns: dict[str, list[_Turn]] = {one.name: [] for one in contenders}
            for number in range(plan.rounds):
                # Every other round backwards: nobody always comes first after the others' load.
                for one in contenders if number % 2 == 0 else reversed(contenders):
                    storage = azurite if one.name == TIMBRE else None
                    turns[one.name].append(_turn(one, job, clients, plan.seconds, storage))
            yield from (_row(job, clients, name, some) for name, some in turns.items())


def _row(job: str, clients: int, name: str, turns: Sequence[_Turn]) -> Throughput:
    whole = _Turn(
        [outcome for one in turns for outcome in one.outcomes],
        sum(one.seconds for one in turns),
        _sum([one.processor_seconds for one in turns]),
        _sum([one.storage_seconds for one in turns]),
    )
    good = whole.good
    return Throughput(
        job=job,
        clients=clients,
        contender=name,
        answered=len(good) / whole.seconds,
        p50=percentile(good, 50) if good else None,
        p95=percentile(good, 95) if good else None,
        failed=len(whole.outcomes) - len(good),
        processor=whole.each(whole.processor_seconds),
        storage=whole.each(whole.storage_seconds),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return sum(known) if len(known) == len(values) else None


def _cold_timbre(folder: Path, environment: Mapping[str, str], asked: Contender, plan: Plan) -> ColdStart:
    """New processes on the storage where the speakers are enrolled."""
    seconds = []
    for _ in range(plan.starts):
        started = time.perf_counter()
        with running_service(folder / "timbre.log", environment=environment) as service:
            asked.jobs["identify"].answer(service.url)
            seconds.append(time.perf_counter() - started)
    return ColdStart(TIMBRE, Times.of_seconds(seconds))


def _cold_peer(
    python: Path, folder: Path, name: str, settings: Mapping[str, str], spoken: Material, plan: Plan
) -> ColdStart:
    seconds = []
    for _ in range(plan.starts):
        started = time.perf_counter()
        with running_peer(python, folder, name, settings) as running:
            enrolment(spoken.speech[SECONDS]).answer(running.url)
            seconds.append(time.perf_counter() - started)
    return ColdStart(name, Times.of_seconds(seconds))


def _memory(contenders: Sequence[Contender]) -> dict[str, float | None]:
    return {one.name: resident_megabytes(one.process_id) for one in contenders}


def _load() -> float | None:
    return os.getloadavg()[0] if sys.platform != "win32" else None
