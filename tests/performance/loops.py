"""Many requests at a time: clients that wait for their answers, or requests that leave by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Barrier, Semaphore

from tests.performance.client import Answer, Client, Request

MOST_UNDER_WAY = 128
"""Open loop: requests that wait for their answer at once; one more that falls due is counted as not sent."""


@dataclass(frozen=True)
class Load:
    """``seconds``: until the last answer."""

    answers: Sequence[Answer]
    seconds: float
    not_sent: int = 0

    @property
    def good(self) -> list[float]:
        """Seconds of the answers."""
        return [answer.seconds for answer in self.answers if 200 <= answer.status < 300]

    @property
    def refused(self) -> list[float]:
        """Seconds of the refusals, 429 or 503 with ``Retry-After``; anything else has failed."""
        return [each.seconds for each in self.answers if each.status in (429, 503) and "retry-after" in each.headers]

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.good) / self.seconds

    @property
    def failed(self) -> int:
        return len(self.answers) - len(self.good) - len(self.refused)


def closed_loop(connect: Callable[[], Client], request: Request, clients: int, seconds: float) -> Load:
    """Each client sends its next request when it has its answer, and after a refusal rests for as long as that says.
    What it began before the time is over counts, and its first request in any case."""
    start = Barrier(clients + 1)

    def run() -> list[Answer]:
        client, answers = connect(), list[Answer]()
        start.wait()
        end = time.perf_counter() + seconds
        while not answers or time.perf_counter() < end:
            answers.append(client.answer(request))
            rest = float(answers[-1].headers.get("retry-after", 0.0))
            time.sleep(max(0.0, min(rest, end - time.perf_counter())))
        client.close()
        return answers

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(run) for _ in range(clients)]
        start.wait()
        began = time.perf_counter()
        answers = [answer for client in running for answer in client.result()]
    return Load(answers, time.perf_counter() - began)


def open_loop(connect: Callable[[], Client], request: Request, rate: float, seconds: float) -> Load:
    """Requests leave by the clock, whatever has become of the earlier ones: that is how the world sends them, and how
    queues collapse. Answers are timed from when their request was due."""
    idle = SimpleQueue[Client]()
    room = Semaphore(MOST_UNDER_WAY)

    def send(due: float) -> Answer:
        try:
            client = idle.get_nowait()
        except Empty:
            client = connect()
        answer = client.answer(request)
        late = time.perf_counter() - due
        idle.put(client)
        room.release()
        return Answer(answer.status, late, answer.headers)

    began, number = time.perf_counter(), int(rate * seconds)
    with ThreadPoolExecutor(MOST_UNDER_WAY) as pool:
        sent = []
        for due in (began + place / rate for place in range(number)):
            time.sleep(max(0.0, due - time.perf_counter()))
            if room.acquire(blocking=False):
                sent.append(pool.submit(send, due))
        answers = [future.result() for future in sent]
    took = time.perf_counter() - began
    while not idle.empty():
        idle.get().close()
    return Load(answers, took, number - len(answers))
