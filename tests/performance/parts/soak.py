"""(f) Thousands of requests of every kind from several clients: what the service's process holds as they go by.

The gate lets in and wait fewer than there are threads, and there are more clients than it works on at once. A refusal
(503 with ``Retry-After``) is waited for and sent again, as a well-made app would.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Collection, Sequence
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
from tests.performance.reporting.targets import SLOPE, Measure
from tests.performance.serving import serving

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
    several threads."""

    requests: int = 0
    refused: int = 0
    until: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def is_time_to_rest(self) -> bool:
        return self.requests >= self.until

    def note(self, *, refused: bool) -> None:
        with self.lock:
            self.requests += 1
            self.refused += refused


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
            self.ledger.note(refused=answer.status == 503)
            if answer.status != 503:
                return answer
            time.sleep(float(answer.headers["retry-after"]))


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``."""
    total = QUICK_REQUESTS if run.quick else REQUESTS
    with (
        tempfile.TemporaryDirectory(prefix="timbre-soak-") as folder,
        Azurite() as azurite,
        serving(azurite, Path(folder)) as service,
    ):
        clients = [Client(service.url, service.key) for _ in range(CLIENTS)]
        cast = Cast.of(enroll(clients[0], run.spoken), run.spoken)
        ledger, started = Ledger(), time.perf_counter()
        callers = [(Caller(client, ledger), random.Random(SEED + number)) for number, client in enumerate(clients)]
        samples = [Sample(0, held(service.process.pid))]
        said = started
        while ledger.requests < total:
            ledger.until = ledger.requests + SAMPLE_EVERY
            with ThreadPoolExecutor(CLIENTS) as pool:
                for done in [pool.submit(_tell_stories, caller, cast, dice) for caller, dice in callers]:
                    done.result()
            samples.append(Sample(ledger.requests, held(service.process.pid)))
            if time.perf_counter() - said > SAY_SECONDS:
                said = time.perf_counter()
                run.say(f"{ledger.requests:,} of {total:,} requests")
        seconds = time.perf_counter() - started
        for client in clients:
            client.close()
    return found_in(ledger, samples, seconds)


def _tell_stories(send: Caller, cast: Cast, dice: random.Random) -> None:
    """Stories in an order of chance until it is time to rest."""
    while True:
        for story in dice.sample(STORIES, len(STORIES)):
            if send.ledger.is_time_to_rest:
                return
            story(send, cast, dice)


def found_in(ledger: Ledger, samples: Sequence[Sample], seconds: float) -> Found:
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
    note = (
        f"{ledger.requests:,} requests in {seconds:.0f} s from {CLIENTS} clients, {ledger.refused} of them refused by "
        f"the gate; growth of memory for 1,000 requests: {'-' if figure is None else f'{figure:.2f} MB'}, {remark}"
    )
    table = Table("Soak: what the service holds", ["requests", "MB resident", "open files", "threads"], rows, note)
    panel = "Soak: memory of the service"
    curve = Curve(panel, "requests", "MB resident", "resident", [(1_000 * x, y) for x, y in memory_of(samples)])
    return Found([table], [curve], measures=[Measure(SLOPE, figure, remark)])


def behind(samples: Sequence[Sample], requests: float) -> list[Sample]:
    """Those taken when so many requests, or more, had been answered."""
    return [one for one in samples if one.requests >= requests]


def memory_of(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Thousands of requests and megabytes."""
    return [(one.requests / 1_000, one.held.megabytes) for one in samples if one.held.megabytes is not None]
