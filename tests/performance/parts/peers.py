"""The same jobs done the way a team would otherwise do them: Timbre and its peers in turns, in one run.

Peers are FastAPI and uvicorn, one process each, and get the same recordings as multipart forms. They keep speakers in
memory (no storage, encryption, retention, audit, second instance) and have no keys, phrases, checks of quality or
calibrated scores; CAM++ in torch and sherpa-onnx hear without voice activity detection. All of that favours them.
Timbre reads its profiles from Azurite with each request and notes their use there.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from localhost.azurite import Azurite
from shared.config import MODEL
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from tests.performance import process
from tests.performance.client import Client
from tests.performance.figures import Cell, Measure, Result, Table, Target, milliseconds, quotient
from tests.performance.loops import Load, closed_loop
from tests.performance.peers.contenders import (
    JOBS,
    TIMBRE,
    Contender,
    peer,
    peer_enrollment,
    running_peer,
    timbre,
    write_for_sherpa,
)
from tests.performance.recordings import SECONDS, material
from tests.performance.serving import Run, serving
from tools.evaluation.peer_environment import peer_python

CAMPPLUS: Final = ("CAM++ in torch, 1 thread", "CAM++ in torch, 2 threads")
"""What a team would build today; a figure is held against the one of the two that does better."""
THROUGHPUT: Final = Target("throughput over that of CAM++ in torch behind FastAPI", 3.0, at_least=True)
MEMORY: Final = Target("memory over that of CAM++ in torch behind FastAPI", 1 / 3)


@dataclass(frozen=True)
class Plan:
    """``seconds`` are of each service's turn under load."""

    clients: tuple[int, ...] = (1, 2, 4, 8)
    seconds: float = 3.0
    rounds: int = 2
    starts: int = 2


QUICK: Final = Plan(clients=(1, 2), seconds=0.7, rounds=1, starts=1)


@dataclass
class Turns:
    """A service's turns at one job with one number of clients. Processor seconds are ``None`` where the system does not
    tell; Azurite's count as Timbre's."""

    loads: list[Load] = field(default_factory=list)
    processor: list[float | None] = field(default_factory=list)

    @property
    def good(self) -> list[float]:
        return [seconds for load in self.loads for seconds in load.good]

    @property
    def rate(self) -> float:
        return len(self.good) / sum(load.seconds for load in self.loads)

    @property
    def processor_milliseconds(self) -> float | None:
        """For each answer."""
        known = [seconds for seconds in self.processor if seconds is not None]
        return 1000 * sum(known) / len(self.good) if self.good and len(known) == len(self.processor) else None


Throughput = Mapping[tuple[str, str, int], Turns]
"""By service, job and number of clients."""


def measured(run: Run) -> Result:
    """Raises ``PeerMissing``, ``CannotStart``, ``Unexpected``."""
    plan, python = QUICK if run.quick else Plan(), peer_python()
    with tempfile.TemporaryDirectory(prefix="timbre-peers-") as name, Azurite() as azurite:
        folder = Path(name)
        settings = _settings(folder)
        with ExitStack() as stack:
            contenders = [timbre(stack.enter_context(serving(azurite)))]
            for title, environment in settings.items():
                url, running = stack.enter_context(running_peer(python, folder, title, environment))
                contenders.append(peer(title, url, running.pid))
            run.say("throughput, in turns")
            throughput = _throughput(contenders, azurite.process.pid, plan)
            memory = {contender.name: process.megabytes(contender.process_id) for contender in contenders}
        cold = {TIMBRE: [_start_of_timbre(azurite, contenders[0]) for _ in range(plan.starts)]}
        for title, environment in settings.items():
            cold[title] = [_start_of_peer(python, folder, title, environment) for _ in range(plan.starts)]
    return result_of(throughput, memory, cold)


def result_of(
    throughput: Throughput, memory: Mapping[str, float | None], cold: Mapping[str, Sequence[float]]
) -> Result:
    rows: list[list[Cell]] = [
        [
            *(name, job, clients, turns.rate, milliseconds(turns.good), milliseconds(turns.good, 95)),
            turns.processor_milliseconds,
        ]
        for (name, job, clients), turns in throughput.items()
    ]
    header = ["service", "job", "clients", "answers/s", "p50 ms", "p95 ms", "processor ms"]
    ratios: list[list[Cell]] = []
    for name in memory:
        rates = [_best(throughput, TIMBRE, job) / _best(throughput, name, job) for job in JOBS]
        work = [quotient(_processor(throughput, name, job), _processor(throughput, TIMBRE, job)) for job in JOBS]
        starts = milliseconds(cold[name])
        ratios.append([name, *rates, *work, quotient(memory[TIMBRE], memory[name]), memory[name], starts])
    columns = [f"{job} {what}" for what in ("throughput", "processor") for job in JOBS]
    note = "Timbre's answers a second over the peer's, the peer's processor time for an answer over Timbre's."
    tables = [
        Table("Timbre over its peers", ["peer", *columns, "memory", "MB", "cold start, ms"], ratios, note),
        Table("Throughput", header, rows, "Closed loop; processor time for each answer."),
    ]
    against = {
        f"{job} against {name}": _best(throughput, TIMBRE, job) / _best(throughput, name, job)
        for name in CAMPPLUS
        for job in JOBS
    }
    least = min(against, key=against.__getitem__)
    heavier = [quotient(memory[TIMBRE], memory[name]) for name in CAMPPLUS]
    measures = [
        Measure(THROUGHPUT, against[least], f"{least}, the least of {len(against)}"),
        Measure(MEMORY, max((ratio for ratio in heavier if ratio is not None), default=None), "after the load"),
    ]
    return Result(tables, measures)


def _settings(folder: Path) -> dict[str, dict[str, str]]:
    """The peers and their environments; sherpa-onnx gets Timbre's own network."""
    model = folder / "for-sherpa.onnx"
    write_for_sherpa(CATALOGUE_FILE.parent / read_catalogue().speaker(MODEL.default or "").file.name, model)
    return {
        "Resemblyzer": {"PEER_EMBEDDER": "resemblyzer"},
        CAMPPLUS[0]: {"PEER_EMBEDDER": "campplus-torch", "PEER_THREADS": "1"},
        CAMPPLUS[1]: {"PEER_EMBEDDER": "campplus-torch", "PEER_THREADS": "2"},
        "sherpa-onnx": {"PEER_EMBEDDER": "sherpa-onnx", "PEER_MODEL": str(model)},
    }


def _throughput(contenders: Sequence[Contender], azurite: int, plan: Plan) -> Throughput:
    throughput = {
        (contender.name, job, clients): Turns() for job in JOBS for clients in plan.clients for contender in contenders
    }
    for job in JOBS:
        for clients in plan.clients:
            for number in range(plan.rounds):
                # Every other round backwards: nobody always comes first after the others' load.
                for contender in contenders if number % 2 == 0 else reversed(contenders):
                    processes = [contender.process_id, *([azurite] if contender.name == TIMBRE else [])]
                    before = _processor_seconds(processes)
                    load = closed_loop(contender.connect, contender.jobs[job], clients, plan.seconds)
                    after = _processor_seconds(processes)
                    turns = throughput[contender.name, job, clients]
                    turns.loads.append(load)
                    turns.processor.append(None if before is None or after is None else after - before)
    return throughput


def _processor_seconds(processes: Sequence[int]) -> float | None:
    seconds = [process.processor_seconds(process_id) for process_id in processes]
    known = [each for each in seconds if each is not None]
    return sum(known) if len(known) == len(seconds) else None


def _best(throughput: Throughput, name: str, job: str) -> float:
    """Answers a second, whatever the number of clients."""
    return max(
        turns.rate for (contender, its_job, _), turns in throughput.items() if (contender, its_job) == (name, job)
    )


def _processor(throughput: Throughput, name: str, job: str) -> float | None:
    """Milliseconds for an answer, over all numbers of clients."""
    turns = [turns for (contender, its_job, _), turns in throughput.items() if (contender, its_job) == (name, job)]
    known = [each.processor_milliseconds for each in turns if each.processor_milliseconds is not None]
    return sum(known) / len(known) if known else None


def _start_of_timbre(azurite: Azurite, contender: Contender) -> float:
    """Seconds from nothing to the first identify, on the storage where the speakers are enrolled."""
    started = time.perf_counter()
    with serving(azurite) as service:
        Client(service.url, service.key).send(contender.jobs["identify"])
        return time.perf_counter() - started


def _start_of_peer(python: Path, folder: Path, name: str, environment: Mapping[str, str]) -> float:
    """Seconds from nothing to the first enrollment of as much speech, since a peer knows nobody yet."""
    started = time.perf_counter()
    with running_peer(python, folder, name, environment) as (url, _):
        Client(url).send(peer_enrollment(material().speech[SECONDS]))
        return time.perf_counter() - started
