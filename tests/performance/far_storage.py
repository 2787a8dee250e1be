"""What it is worth to ask storage while listening: each request with and without that, in turns.

    python -m tests.performance.far_storage [--rounds 30] [--milliseconds 5] [--azurite]

The app's functions in this process, over rows in memory that answer ``--milliseconds`` late, as a storage account
across a network does; or over Azurite, which takes its time on the same processors.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median, quantiles
from typing import TypeVar
from unittest.mock import patch

from localhost.azurite import Azurite
from shared.domain.measurement import stage
from shared.services import identify, identify_among, verify
from shared.storage.backend.ports import Change, Row, Rows
from tests.in_process import Answer
from tests.round_trips.app import MEMORY, App, app
from tests.round_trips.customers import (
    IDENTIFICATION,
    TEXT_DEPENDENT,
    TEXT_INDEPENDENT,
    VERSION,
    Customer,
    customer,
    sample,
)

Asked = TypeVar("Asked")
Worked = TypeVar("Worked")

RECORDING = "passphrase-4"
WARM_UP = 3
AT_ONCE = 4
"""What the gate lets in on two cores."""


class FarRows:
    """Implements ``Rows`` over another one, later."""

    def __init__(self, rows: Rows, seconds: float) -> None:
        self._rows, self._seconds = rows, seconds

    def get(self, partition: str, key: str) -> Row | None:
        self._travel()
        return self._rows.get(partition, key)

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        self._travel()
        return self._rows.query(partition, start, end, limit=limit, select=select)

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        self._travel()
        self._rows.apply(partition, changes)

    def _travel(self) -> None:
        with stage("store"):
            time.sleep(self._seconds)


class Waited(logging.Handler):
    """Seconds that each request waited for storage, from the line that it leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seconds.append(float(record.getMessage().partition("store_ms=")[2].partition(" ")[0]) / 1000.0)


def one_after_the_other(ask: Callable[[], Asked], work: Callable[[], Worked]) -> tuple[Asked, Worked]:
    """What ``beside`` takes the place of."""
    return ask(), work()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--milliseconds", type=float, default=5.0)
    options.add_argument("--azurite", action="store_true")
    chosen = options.parse_args()
    seconds = 0.0 if chosen.azurite else chosen.milliseconds / 1000.0
    with ExitStack() as stack:
        account = stack.enter_context(Azurite()).connection_string if chosen.azurite else MEMORY
        running = app(account, lambda rows: FarRows(rows, seconds) if seconds else rows)
        waited = Waited()
        logging.getLogger("timbre.recognition").addHandler(waited)
        logging.getLogger("timbre.recognition").setLevel(logging.INFO)
        print("| request, p25 / p50 ms | before | beside | its waiting before | beside | ratio p25 | of pairs |")
        print("|---|---|---|---|---|---|---|")
        wanted = requests(running)
        for name, request in wanted.items():
            waited.seconds.clear()
            before, beside = in_turns(request, chosen.rounds)
            first, second = split(waited.seconds)
            ratio = median(one / other for one, other in zip(beside, before, strict=True))
            quarter = quartile(beside) / quartile(before)
            cells = [name, *(shown(one) for one in (before, beside, first, second)), f"{quarter:.2f}", f"{ratio:.2f}"]
            print(f"| {' | '.join(cells)} |", flush=True)
        print(f"\n| {AT_ONCE} at once | before, answers/s | beside, answers/s | ratio |\n|---|---|---|---|")
        for name in ("verify, any speech", "identify among 10"):
            few, more = throughput(wanted[name], chosen.rounds)
            print(f"| {name} | {few:.1f} | {more:.1f} | {more / few:.2f} |", flush=True)


def quartile(seconds: Sequence[float]) -> float:
    """The lower one: what the machine takes when nothing else is in the way."""
    return quantiles(seconds, n=4)[0]


def shown(seconds: Sequence[float]) -> str:
    return f"{quartile(seconds) * 1000:.1f} / {median(seconds) * 1000:.1f}"


def requests(running: App) -> dict[str, Callable[[], Answer]]:
    few, many = customer(running), customer(running)
    ten, of_many = speakers(few, 10), speakers(many, 10)
    many.created(IDENTIFICATION, 50)
    phrase, speech = few.speaker(TEXT_DEPENDENT), few.speaker(TEXT_INDEPENDENT)
    recording, base = (
        sample(RECORDING),
        f"/speaker-recognition/{{}}/profiles/{{}}:verify?{VERSION}&ignoreMinLength=true",
    )
    v1 = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={','.join(ten)}"
    return {
        "verify, passphrase": lambda: few.call("POST", base.format(TEXT_DEPENDENT, phrase), recording),
        "verify, any speech": lambda: few.call("POST", base.format(TEXT_INDEPENDENT, speech), recording),
        "identify among 10": lambda: few.identified(",".join(ten), RECORDING),
        "identify among 10, v1.0": lambda: few.call("POST", v1, recording),
        "identify among 10 of 60": lambda: many.identified(",".join(of_many), RECORDING),
        "identify among everybody": lambda: few.identified("*", RECORDING),
    }


def speakers(who: Customer, number: int) -> list[str]:
    others = ["other-speaker"] * (number - 1)
    return [who.speaker(IDENTIFICATION, recording) for recording in ("passphrase-1", *others)]


def in_turns(request: Callable[[], Answer], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each, the first of a pair by turns."""
    before: list[float] = []
    beside: list[float] = []
    for number in range(WARM_UP + rounds):
        pair = [(sequential, before), (timed, beside)]
        for run, found in pair if number % 2 else reversed(pair):
            seconds = run(request)
            if number >= WARM_UP:
                found.append(seconds)
    return before, beside


def split(waited: Sequence[float]) -> tuple[list[float], list[float]]:
    """Of what ``in_turns`` did: the sequential ones, the others."""
    pairs = [waited[at : at + 2][:: 1 if at // 2 % 2 else -1] for at in range(0, len(waited), 2)][WARM_UP:]
    return [before for before, _ in pairs], [beside for _, beside in pairs]


def throughput(request: Callable[[], Answer], rounds: int) -> tuple[float, float]:
    """Answers per second of each with ``AT_ONCE`` clients, the first of a pair by turns."""

    def seconds(run: Callable[[Callable[[], object]], float]) -> float:
        with ThreadPoolExecutor(AT_ONCE) as clients:
            return run(lambda: list(clients.map(lambda _: timed(request), range(2 * AT_ONCE))))

    before: list[float] = []
    beside: list[float] = []
    for number in range(max(2, rounds // 4)):
        pair = [(sequential, before), (timed, beside)]
        for run, found in pair if number % 2 else reversed(pair):
            found.append(2 * AT_ONCE / seconds(run))
    return median(before), median(beside)


def sequential(work: Callable[[], object]) -> float:
    with ExitStack() as stack:
        for module in (verify, identify, identify_among):
            stack.enter_context(patch.object(module, "beside", one_after_the_other))
        return timed(work)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - started
    assert not isinstance(done, Answer) or done.status < 300, done.body
    return seconds


if __name__ == "__main__":
    main()
