"""The app on Azure's own host and on the local host, on one storage, and beside each a function that only reads bodies.

All four services run at the same time and take turns, so that a busy moment falls on each of them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import numpy as np
import soundfile

from localhost.azurite import Azurite
from tests.performance import load
from tests.performance.client import JSON, WAV, Client, Enrolled, Unexpected, enroll
from tests.performance.figures import Times
from tests.performance.load import Load, Outcome, Posted, Request, closed_loop, row
from tests.performance.process import resident_megabytes, worker_of
from tests.performance.recordings import Material
from tests.performance.serving import bare_app, package, serving, serving_on_azure
from tests.service import RunningService
from tests.voices import wav_bytes

AZURE, LOCAL = "Azure's", "local"
HEALTH, VERIFY, IDENTIFY, ENROLL = "/health", "verify 4 s", "identify 4 s among 10", "enroll 20 s"
OPERATIONS = (HEALTH, VERIFY, IDENTIFY, ENROLL)
WARM_UP = 3


@dataclass(frozen=True)
class Contender:
    """The app on a host, and the bare function there, which gets the same bodies."""

    host: str
    service: RunningService
    bare: RunningService
    requests: Mapping[str, Request] = field(repr=False)
    bare_requests: Mapping[str, Request] = field(repr=False)

    @property
    def worker_id(self) -> int:
        """The process that runs the app."""
        return _worker_id(self.service)


@dataclass(frozen=True)
class Alone:
    """One operation, one request at a time: on a host, and on its bare function right after it."""

    operation: str
    host: str
    times: Times
    bare: Times


@dataclass(frozen=True)
class Together:
    """One operation from several clients, each of whom sends the next request when the last one is answered."""

    operation: str
    host: str
    app: Load
    bare: Load


@dataclass(frozen=True)
class Growth:
    """Resident memory of a worker before and after so many requests."""

    host: str
    requests: int
    before: float
    after: float

    @property
    def for_a_thousand(self) -> float:
        return (self.after - self.before) / self.requests * 1_000


@contextmanager
def contenders(azurite: Azurite, folder: Path, spoken: Material) -> Iterator[list[Contender]]:
    """Azure's host and the local host. Raises ``CannotStart``, ``Unexpected``."""
    bare = bare_app(folder)
    with ExitStack() as running:
        azure = running.enter_context(serving_on_azure(azurite, folder, package()))
        local = running.enter_context(serving(azurite, folder))
        bare_azure = running.enter_context(serving_on_azure(azurite, folder, bare))
        bare_local = running.enter_context(serving(azurite, folder, "--app", str(bare)))
        enrolled = _enrolled(spoken, azure, local)
        requests, bare_requests = _requests(azure, spoken, enrolled)
        yield [
            Contender(AZURE, azure, bare_azure, requests, bare_requests),
            Contender(LOCAL, local, bare_local, requests, bare_requests),
        ]


def one_at_a_time(both: Sequence[Contender], operation: str, repetitions: int) -> list[Alone]:
    """Raises ``Unexpected`` for anything but an answer."""
    places = [(one, is_bare) for one in both for is_bare in (False, True)]
    connections = [_connection(one.bare if is_bare else one.service) for one, is_bare in places]
    seconds: list[list[float]] = [[] for _ in places]
    for repetition in range(-WARM_UP, repetitions):
        for (contender, is_bare), connection, taken in zip(places, connections, seconds, strict=True):
            outcome = (contender.bare_requests if is_bare else contender.requests)[operation](connection)
            if not 200 <= outcome.status < 300:
                raise Unexpected(f"{operation} on {contender.host} host answered {outcome.status}.")
            if repetition >= 0:
                taken.append(outcome.seconds)
    for connection in connections:
        connection.close()
    times = [Times.of_seconds(taken) for taken in seconds]
    return [
        Alone(operation, contender.host, times[2 * number], times[2 * number + 1])
        for number, contender in enumerate(both)
    ]


def many_at_a_time(
    both: Sequence[Contender], operation: str, clients: int, rounds: int, seconds: float
) -> list[Together]:
    """So many rounds of that length everywhere, in turns."""
    outcomes: dict[tuple[str, bool], list[Outcome]] = {}
    took: dict[tuple[str, bool], float] = {}
    for _ in range(rounds):
        for contender in both:
            for is_bare in (False, True):
                outcome, time_taken = _round(contender, operation, is_bare, clients, seconds)
                place = contender.host, is_bare
                outcomes[place] = outcomes.get(place, []) + outcome
                took[place] = took.get(place, 0.0) + time_taken
    loads = {
        place: row(operation, str(clients), None, outcome, took[place], None, 0) for place, outcome in outcomes.items()
    }
    return [Together(operation, one.host, loads[one.host, False], loads[one.host, True]) for one in both]


def _round(
    contender: Contender, operation: str, is_bare: bool, clients: int, seconds: float
) -> tuple[list[Outcome], float]:
    service = contender.bare if is_bare else contender.service
    request = (contender.bare_requests if is_bare else contender.requests)[operation]
    return closed_loop(lambda: _connection(service), request, clients, seconds)


def at_once(contender: Contender, operation: str, number: int) -> list[Outcome]:
    """So many connections, all open already, each of which sends one request at the same moment."""
    start, send = Barrier(number), contender.requests[operation]

    def client() -> Outcome:
        connection = _connection(contender.service)
        connection.connect()
        start.wait()
        outcome = send(connection)
        connection.close()
        return outcome

    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(client) for _ in range(number)]]


def growth_by_health(contender: Contender, clients: int, seconds: float) -> Growth | None:
    """What ``/health`` leaves behind in the bare function's worker, where nothing else moves the memory. ``None`` where
    the system does not tell."""
    worker_id = _worker_id(contender.bare)
    _round(contender, HEALTH, True, clients, seconds / 5)
    before = resident_megabytes(worker_id)
    outcomes, _ = _round(contender, HEALTH, True, clients, seconds)
    after = resident_megabytes(worker_id)
    return Growth(contender.host, len(outcomes), before, after) if before and after else None


@dataclass(frozen=True)
class Enrolling:
    """A ``Request``: enrolls a new profile, which is created first. Only the enrollment is timed."""

    wav: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def __call__(self, connection: HTTPConnection) -> Outcome:
        path = "/spid/v1.0/identificationProfiles"
        connection.request("POST", path, b'{"locale":"en-us"}', {**self.headers, "Content-Type": JSON})
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            return Outcome(response.status, 0.0, response.getheader("Retry-After"))
        profile_id = json.loads(content)["identificationProfileId"]
        return Posted(f"{path}/{profile_id}/enroll?shortAudio=true", self.wav, self.headers)(connection)


def _requests(
    service: RunningService, spoken: Material, enrolled: Enrolled
) -> tuple[dict[str, Request], dict[str, Request]]:
    """Of the app, and of the bare function."""
    posted = load.requests(service, spoken, enrolled)
    headers = {"Ocp-Apim-Subscription-Key": service.key, "Content-Type": WAV}
    bodies = {VERIFY: spoken.phrases[load.SECONDS], IDENTIFY: spoken.speech[load.SECONDS], ENROLL: _twice(spoken)}
    health = Posted("/health", b"", {}, "GET")
    return (
        {
            HEALTH: health,
            VERIFY: posted["verify"],
            IDENTIFY: posted["identify"],
            ENROLL: Enrolling(bodies[ENROLL], headers),
        },
        {HEALTH: health, **{operation: Posted("/read", body, headers) for operation, body in bodies.items()}},
    )


def _twice(spoken: Material) -> bytes:
    """20 s of the one who speaks 10 s."""
    samples, _ = soundfile.read(io.BytesIO(spoken.speech[10]), dtype="float32")
    return wav_bytes(np.tile(samples, 2))


def _enrolled(spoken: Material, *services: RunningService) -> Enrolled:
    """By the first; every service accepts and names the one who speaks."""
    clients = [Client(service.url, service.key) for service in services]
    enrolled = enroll(clients[0], spoken)
    for client in clients:
        client.verify(enrolled.speaker, spoken.phrases[load.SECONDS])
        if client.identified(client.identify(enrolled.candidates, spoken.speech[load.SECONDS])) is None:
            raise Unexpected("Nobody was identified in a candidate's speech.")
        client.close()
    return enrolled


def _worker_id(service: RunningService) -> int:
    return worker_of(service.process.pid) if service.is_azure_host else service.process.pid


def _connection(service: RunningService) -> HTTPConnection:
    return HTTPConnection(urlsplit(service.url).netloc, timeout=120)
