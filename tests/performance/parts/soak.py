"""(f) Thousands of requests of every kind from several clients: what the service's process holds as they go by.

The gate lets in and wait fewer than there are threads, and there are more clients than it works on at once. A refusal
(503 with ``Retry-After``) is waited for and sent again, as a well-made app would.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from localhost.azurite import Azurite
from tests.performance.client import WAV, Answer, Client, enroll
from tests.performance.figures import slope
from tests.performance.parts.mix import STORIES, Cast
from tests.performance.process import Held, held
from tests.performance.reporting.found import Curve, Found, Run, Table
from tests.performance.reporting.targets import SLOPE, Measure, Target
from tests.performance.serving import serving
from tests.service import RunningService

REQUESTS, QUICK_REQUESTS = 10_000, 300
CLIENTS = 6
SAMPLE_EVERY = 40
"""Requests, or a few more. A sample is taken when all clients have their answers: what a request holds while it is at
work is no growth."""
SAY_SECONDS = 20.0
WARM_UP = 0.5
"""The share of the requests before the line begins: every length of audio has been heard many times by then, on every
thread. Of 5,000 requests the second half still rose to the plateau in one run of three."""
SEED = 5


@dataclass(frozen=True)
class Sample:
    requests: int
    held: Held


@dataclass
class Ledger:
    """What all clients have sent so far, and how much they shall have sent when they rest again. Safe for use by
    several threads. ``answers``: when each came, by ``time.perf_counter``, and how long it took."""

    requests: int = 0
    refused: int = 0
    until: int = 0
    answers: list[tuple[float, float]] = field(default_factory=list, repr=False)
    lock: Lock = field(default_factory=Lock)

    @property
    def is_time_to_rest(self) -> bool:
        return self.requests >= self.until

    def note(self, seconds: float, *, refused: bool) -> None:
        with self.lock:
            self.requests += 1
            self.refused += refused
            if not refused:
                self.answers.append((time.perf_counter(), seconds))


@dataclass(frozen=True)
class Caller:
    """One client of the service."""

    client: Client
    ledger: Ledger

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        expected: Collection[int],
        content_type: str = WAV,
    ) -> Answer:
        while True:
            answer = self.client.send(method, path, body, expected=(*expected, 503), content_type=content_type)
            self.ledger.note(answer.seconds, refused=answer.status == 503)
            if answer.status != 503:
                return answer
            time.sleep(float(answer.headers["retry-after"]))


@dataclass(frozen=True)
class Soaked:
    """``samples``: of the process that runs the app. ``seconds``: from the first request to the last answer."""

    ledger: Ledger
    samples: Sequence[Sample]
    seconds: float


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``."""
    total = QUICK_REQUESTS if run.quick else REQUESTS
    with (
        tempfile.TemporaryDirectory(prefix="timbre-soak-") as folder,
        Azurite() as azurite,
        serving(azurite, Path(folder)) as service,
    ):
        soaked = soak(run, service, service.process.pid, lambda ledger, _: ledger.requests < total)
    return found_in(soaked)


def soak(run: Run, service: RunningService, process_id: int, goes_on: Callable[[Ledger, float], bool]) -> Soaked:
    """``goes_on`` is asked after each rest, with the seconds since the first request. Raises ``Unexpected``."""
    clients = [Client(service.url, service.key) for _ in range(CLIENTS)]
    cast = Cast.of(enroll(clients[0], run.spoken), run.spoken)
    ledger, started = Ledger(), time.perf_counter()
    callers = [(Caller(client, ledger), random.Random(SEED + number)) for number, client in enumerate(clients)]
    samples = [Sample(0, held(process_id))]
    last_said = started
    while goes_on(ledger, time.perf_counter() - started):
        ledger.until = ledger.requests + SAMPLE_EVERY
        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(_tell_stories, caller, cast, dice) for caller, dice in callers]:
                done.result()
        samples.append(Sample(ledger.requests, held(process_id)))
        if time.perf_counter() - last_said > SAY_SECONDS:
            last_said = time.perf_counter()
            run.say(f"{ledger.requests:,} requests after {last_said - started:.0f} s")
    for client in clients:
        client.close()
    return Soaked(ledger, samples, time.perf_counter() - started)


def _tell_stories(send: Caller, cast: Cast, dice: random.Random) -> None:
    """Stories in an order of chance until it is time to rest."""
    while True:
        for story in dice.sample(STORIES, len(STORIES)):
            if send.ledger.is_time_to_rest:
                return
            story(send, cast, dice)


def found_in(soaked: Soaked, target: Target = SLOPE, title: str = "Soak") -> Found:
    ledger, samples = soaked.ledger, soaked.samples
    settled = behind(samples, WARM_UP * ledger.requests)
    remark = ""
    figure = None
    if len(memory_of(settled)) >= 3:
        line = slope(memory_of(settled))
        figure = line.per_unit
        remark = (
            f"least squares over the last {len(settled)} of {len(samples)} samples, standard error {line.error:.2f}"
        )
    places = [samples[0], settled[0], samples[len(samples) * 3 // 4], samples[-1]]
    rows = [[one.requests, one.held.megabytes, one.held.handles, one.held.threads] for one in places]
    growth = "-" if figure is None else f"{figure:.2f} MB"
    note = (
        f"{ledger.requests:,} requests in {soaked.seconds:.0f} s from {CLIENTS} clients, {ledger.refused} of them "
        f"refused by the gate; growth of memory for 1,000 requests: {growth}, {remark}"
    )
    table = Table(f"{title}: what the service holds", ["requests", "MB resident", "open files", "threads"], rows, note)
    panel = f"{title}: memory of the service"
    curve = Curve(panel, "requests", "MB resident", "resident", [(1_000 * x, y) for x, y in memory_of(samples)])
    return Found([table], [curve], measures=[Measure(target, figure, remark)])


def behind(samples: Sequence[Sample], requests: float) -> list[Sample]:
    """Those taken when so many requests, or more, had been answered."""
    return [one for one in samples if one.requests >= requests]


def memory_of(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Thousands of requests and megabytes."""
    return [(one.requests / 1_000, one.held.megabytes) for one in samples if one.held.megabytes is not None]
