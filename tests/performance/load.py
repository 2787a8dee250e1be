"""How the service behaves under load: ``python -m tests.performance.load [--seconds N] [--json FILE]``.

Closed loop: so many clients, each sends its next request when it has its answer, and after a refusal rests for as long
as that says. Open loop: requests leave by the clock, at twice what the closed loop showed to be possible, whatever has
become of the earlier ones: that is how the world sends them, and how queues collapse. What was refused is counted apart
from what was answered, with its own times. Everything runs on this machine, against 127.0.0.1, and takes processor time
from the service. With ``--workers`` so many processes of the service share the storage, and connections go to each in
turn: what ``FUNCTIONS_WORKER_PROCESS_COUNT`` or more instances do on Azure.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from threading import Barrier, Lock
from urllib.parse import urlsplit

from localhost.azurite import Azurite
from tests.performance.client import WAV, Client, Enrolled, Unexpected, enroll
from tests.performance.figures import percentile, table
from tests.performance.process import resident_megabytes
from tests.performance.recordings import Material, material
from tests.service import RunningService, running_service

CLIENTS = (1, 2, 4, 8, 16, 32)
MOST_UNDER_WAY = 128
"""Open loop: requests that wait for their answer at once; one more that falls due is counted as not sent."""

SECONDS = 4
"""Length of the recordings."""


@dataclass(frozen=True)
class Outcome:
    """One request: when it should have left and how long its answer took from then, both in seconds."""

    status: int
    seconds: float
    retry_after: str | None = None


@dataclass(frozen=True)
class Load:
    """One row of the table. Times in milliseconds, of answers and of refusals apart; ``None`` where there were none."""

    what: str
    clients: str
    offered: float | None
    answered: float
    p50: float | None
    p95: float | None
    p99: float | None
    refused: int
    refused_p50: float | None
    refused_p99: float | None
    failed: int
    not_sent: int
    megabytes: float | None


Request = Callable[[HTTPConnection], Outcome]


def closed_loop(
    connect: Callable[[], HTTPConnection], send: Request, clients: int, seconds: float
) -> tuple[list[Outcome], float]:
    """Each client goes on until the time is over; what it began before that counts. Outcomes, and the time until the
    last of them."""
    start = Barrier(clients + 1)
    found: list[Outcome] = []
    lock = Lock()

    def client() -> None:
        connection, mine = connect(), list[Outcome]()
        start.wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            mine.append(send(connection))
            if mine[-1].retry_after:
                time.sleep(min(float(mine[-1].retry_after), max(0.0, end - time.perf_counter())))
        connection.close()
        with lock:
            found.extend(mine)

    with ThreadPoolExecutor(clients) as pool:
        done = [pool.submit(client) for _ in range(clients)]
        start.wait()
        began = time.perf_counter()
        for one in done:
            one.result()
    return found, time.perf_counter() - began


def open_loop(
    connect: Callable[[], HTTPConnection], send: Request, rate: float, seconds: float
) -> tuple[list[Outcome], float, int]:
    """Outcomes, timed from when a request was due; the time until the last of them; and how many found
    ``MOST_UNDER_WAY`` before them."""
    idle: list[HTTPConnection] = []
    found: list[Outcome] = []
    lock, under_way, not_sent = Lock(), 0, 0

    def one(due: float) -> None:
        nonlocal under_way
        with lock:
            connection = idle.pop() if idle else connect()
        outcome = send(connection)
        late = time.perf_counter() - due
        with lock:
            under_way -= 1
            idle.append(connection)
            found.append(Outcome(outcome.status, late, outcome.retry_after))

    started = time.perf_counter()
    with ThreadPoolExecutor(MOST_UNDER_WAY) as pool:
        for number in range(int(rate * seconds)):
            due = started + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            with lock:
                room = under_way < MOST_UNDER_WAY
                under_way += room
                not_sent += not room
            if room:
                pool.submit(one, due)
    for connection in idle:
        connection.close()
    return found, time.perf_counter() - started, not_sent


def row(
    what: str,
    clients: str,
    offered: float | None,
    found: Sequence[Outcome],
    seconds: float,
    megabytes: float | None,
    lost: int,
) -> Load:
    """A refusal is 429 or 503 with Retry-After; anything else that is no answer has failed."""
    answers = [1000 * one.seconds for one in found if 200 <= one.status < 300]
    refusals = [1000 * one.seconds for one in found if one.status in (429, 503) and one.retry_after]

    def at(values: Sequence[float], percent: float) -> float | None:
        return percentile(values, percent) if values else None

    return Load(
        what=what,
        clients=clients,
        offered=offered,
        answered=len(answers) / seconds,
        p50=at(answers, 50),
        p95=at(answers, 95),
        p99=at(answers, 99),
        refused=len(refusals),
        refused_p50=at(refusals, 50),
        refused_p99=at(refusals, 99),
        failed=len(found) - len(answers) - len(refusals),
        not_sent=lost,
        megabytes=megabytes,
    )


@dataclass(frozen=True)
class Posted:
    """A ``Request``, ready to be sent again and again."""

    path: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    method: str = "POST"

    def __call__(self, connection: HTTPConnection) -> Outcome:
        """A broken connection is status 0."""
        started = time.perf_counter()
        try:
            connection.request(self.method, self.path, self.body, dict(self.headers))
            response = connection.getresponse()
            response.read()
        except OSError:
            connection.close()
            return Outcome(0, time.perf_counter() - started)
        return Outcome(response.status, time.perf_counter() - started, response.getheader("Retry-After"))

    def answer(self, url: str) -> dict[str, object]:
        """The JSON of one answer. Raises ``Unexpected`` for a refusal."""
        connection = HTTPConnection(urlsplit(url).netloc, timeout=120)
        connection.request("POST", self.path, self.body, dict(self.headers))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if response.status not in (200, 201):
            raise Unexpected(f"POST {self.path.split('?')[0]} answered {response.status}: {content[:300]!r}")
        return dict(json.loads(content))


def requests(service: RunningService, spoken: Material, enrolled: Enrolled) -> dict[str, Request]:
    ids, headers = ",".join(enrolled.candidates), {"Ocp-Apim-Subscription-Key": service.key, "Content-Type": WAV}
    identify = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={ids}"
    verify = f"/spid/v1.0/verify?verificationProfileId={enrolled.speaker}"
    return {
        "identify": Posted(identify, spoken.speech[SECONDS], headers),
        "verify": Posted(verify, spoken.phrases[SECONDS], headers),
    }


def measured(
    services: Sequence[RunningService], spoken: Material, seconds: float, clients: Sequence[int]
) -> list[Load]:
    service, turns = services[0], cycle(services)

    def connect() -> HTTPConnection:
        return HTTPConnection(urlsplit(next(turns).url).netloc, timeout=120)

    def megabytes() -> float | None:
        sizes = [resident_megabytes(one.process.pid) for one in services]
        return sum(size for size in sizes if size) or None

    rows: list[Load] = []
    client = Client(service.url, service.key)
    for what, send in requests(service, spoken, enroll(client, spoken)).items():
        capacity = 0.0
        for number in clients:
            found, took = closed_loop(connect, send, number, seconds)
            rows.append(row(what, str(number), None, found, took, megabytes(), 0))
            capacity = max(capacity, rows[-1].answered)
        offered = 2 * capacity
        found, took, lost = open_loop(connect, send, offered, seconds)
        rows.append(row(what, "open, 2x", offered, found, took, megabytes(), lost))
    client.close()
    return rows


def rendered(rows: Sequence[Load]) -> str:
    header = (
        "request", "clients", "offered/s", "answered/s", "p50", "p95", "p99", "refused", "refused p50", "refused p99",
        "failed", "not sent", "MB",
    )  # fmt: skip
    cells = [tuple(asdict(one).values()) for one in rows]
    return table("Load: times in ms", header, cells)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each row")
    parser.add_argument("--clients", type=int, nargs="*", default=CLIENTS)
    parser.add_argument("--threads", default="20", help="of the worker's pool")
    parser.add_argument("--workers", type=int, default=1, help="processes of the service")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    load = os.getloadavg()[0] if sys.platform != "win32" else None
    with tempfile.TemporaryDirectory(prefix="timbre-load-") as folder, Azurite() as azurite:
        environment = {
            "VOICE_STORAGE": azurite.connection_string,
            "PYTHON_THREADPOOL_THREAD_COUNT": options.threads,
        }
        with ExitStack() as running:
            services = [
                running.enter_context(running_service(Path(folder) / f"service-{number}.log", environment=environment))
                for number in range(options.workers)
            ]
            rows = measured(services, material(), options.seconds, options.clients)
    print(f"load of the machine before: {load}")
    print(rendered(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in rows], indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
