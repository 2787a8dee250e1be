"""Verify, identify and enroll over HTTP against the work that cannot be saved, and a service's start to its first
answer against Python's own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from localhost.azurite import Azurite
from tests.performance import process
from tests.performance.bare import Bare, timed
from tests.performance.client import HEALTH, Client, Enrolled, Request, enroll, enrollment
from tests.performance.figures import Cell, Measure, Result, Table, Target, milliseconds, ratio_of_pairs
from tests.performance.recordings import CANDIDATES, SECONDS, material
from tests.performance.serving import Run, serving, settings

REPETITIONS, QUICK_REPETITIONS, WARM_UP = 30, 6, 3
STARTS, QUICK_STARTS = 7, 2
MANY: Final = 50
"""Profiles that are nobody's candidates: candidates are then read row by row instead of as one range."""
TARGETS: Final = {
    f"verify, {SECONDS} s": Target("verify of 4 s over HTTP, over voice activity + features + model + phrase", 1.5),
    f"identify, {SECONDS} s": Target("identify of 4 s among 10 over HTTP, over voice activity + features + model", 2.0),
}
COLD_START: Final = Target("a service's start to the end of its first identify, over Python's own start", 1.0, "s")


@dataclass(frozen=True)
class Operation:
    """``over_http`` returns seconds. ``bare`` is the same operation's bare work."""

    name: str
    speech_seconds: float | None
    over_http: Callable[[], float]
    bare: Callable[[], object] | None


def measured(run: Run) -> Result:
    """Raises ``CannotStart``, ``Unexpected``. Once in a process: it builds the service's objects in this one too."""
    repetitions = QUICK_REPETITIONS if run.quick else REPETITIONS
    with Azurite() as azurite:
        with serving(azurite) as service:
            client = Client(service.url, service.key)
            memory = [process.megabytes(service.process.pid)]
            enrolled = enroll(client, material())
            bare = Bare.of_environment(settings(azurite))
            run.say("in turns over HTTP and bare")
            rows, measures = [], []
            for operation in [*_operations(client, bare, enrolled), *_among_many(client, bare, enrolled)]:
                http, alone = _in_turns(operation, repetitions)
                ratio = ratio_of_pairs(http, alone) if alone else None
                rows.append(_row(operation, http, alone, ratio))
                if target := TARGETS.get(operation.name):
                    measures.append(Measure(target, ratio, f"median of {repetitions} pairs"))
            memory.append(process.megabytes(service.process.pid))
            client.close()
        identify = enrolled.identify(material().speech[SECONDS])
        starts = [_start(azurite, identify) for _ in range(QUICK_STARTS if run.quick else STARTS)]
    header = ["operation", "speech s", "HTTP p50", "p95", "bare p50", "ratio"]
    note = (
        "ms. Bare is voice activity, features and model, for verify also the phrase; identify is among "
        f"{CANDIDATES}; the ratio is the median over pairs taken one right after the other."
    )
    held: list[list[Cell]] = [["when ready", memory[0]], ["at the end", memory[1]]]
    titles = ("Python itself", "start to the end of the first identify", "the next identify")
    cold: list[list[Cell]] = [
        [title, milliseconds(seconds), milliseconds(seconds, 95)]
        for title, seconds in zip(titles, zip(*starts, strict=True), strict=True)
    ]
    over_python = milliseconds([first - python for python, first, _ in starts])
    assert over_python is not None
    measures.append(Measure(COLD_START, over_python / 1000, f"median of {len(starts)} starts"))
    tables = [
        Table("Ratios", header, rows, note),
        Table("Cold start", ["part", "p50", "p95"], cold, "ms"),
        Table("Memory, MB", ["service", "resident"], held),
    ]
    return Result(tables, measures)


def _start(azurite: Azurite, identify: Request) -> tuple[float, float, float]:
    """Seconds of a process that does nothing, of a new service to its first answer, and of its next answer."""
    python = timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    started = time.perf_counter()
    with serving(azurite) as service:
        client = Client(service.url, service.key)
        client.send(identify)
        first = time.perf_counter() - started
        again = client.send(identify).seconds
        client.close()
    return python, first, again


def _row(operation: Operation, http: list[float], alone: list[float], ratio: float | None) -> list[Cell]:
    times = [milliseconds(http), milliseconds(http, 95), milliseconds(alone)]
    return [operation.name, operation.speech_seconds, *times, ratio]


def _in_turns(operation: Operation, repetitions: int) -> tuple[list[float], list[float]]:
    http, alone = [], []
    for repetition in range(-WARM_UP, repetitions):
        seconds = operation.over_http()
        bare_seconds = timed(operation.bare) if operation.bare else None
        if repetition >= 0:
            http.append(seconds)
            alone += [bare_seconds] if bare_seconds is not None else []
    return http, alone


def _operations(client: Client, bare: Bare, enrolled: Enrolled) -> Iterator[Operation]:
    spoken = material()
    yield Operation("/health", None, lambda: client.send(HEALTH).seconds, None)
    for seconds, wav in spoken.phrases.items():
        yield _verification(f"verify, {seconds} s", client, bare, enrolled, wav)
    for seconds, wav in spoken.speech.items():
        yield _identification(f"identify, {seconds} s", client, bare, enrolled, wav)
    wav = spoken.speakers[0]
    heard = bare.heard(wav)
    yield Operation(
        "enroll, 10 s", heard.speech_seconds, lambda: _enroll_anew(client, wav), lambda: bare.identify(heard)
    )


def _among_many(client: Client, bare: Bare, enrolled: Enrolled) -> Iterator[Operation]:
    for _ in range(MANY):
        client.create("identificationProfiles")
    wav = material().speech[SECONDS]
    yield _identification(f"identify, {SECONDS} s, {MANY} more profiles", client, bare, enrolled, wav)


def _verification(name: str, client: Client, bare: Bare, enrolled: Enrolled, wav: bytes) -> Operation:
    heard, request = bare.heard(wav), enrolled.verify(wav)
    return Operation(name, heard.speech_seconds, lambda: client.verify(request), lambda: bare.verify(heard))


def _identification(name: str, client: Client, bare: Bare, enrolled: Enrolled, wav: bytes) -> Operation:
    heard, request = bare.heard(wav), enrolled.identify(wav)
    client.must_identify(request)
    return Operation(name, heard.speech_seconds, lambda: client.send(request).seconds, lambda: bare.identify(heard))


def _enroll_anew(client: Client, wav: bytes) -> float:
    """Of the enrollment alone; its profile is created before."""
    return client.send(enrollment(client.create("identificationProfiles"), wav)).seconds
