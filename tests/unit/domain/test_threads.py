"""Work on other threads belongs to the request that asked for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from azure_functions_runtime import invocation_id_cv

from shared.domain.measurement import Measurement, gathered, note, stage
from shared.domain.threads import for_this_request

log = logging.getLogger("timbre.test_threads")


class HostLines(logging.Handler):
    """As Azure's worker for Python 3.13: each line goes to the host with the invocation id of its context."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str | None, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((invocation_id_cv.get(), record.getMessage()))


@pytest.fixture
def host() -> Iterator[HostLines]:
    handler = HostLines()
    log.addHandler(handler)
    token = invocation_id_cv.set("this-invocation")
    yield handler
    invocation_id_cv.reset(token)
    log.removeHandler(handler)


def test_a_line_from_another_thread_reaches_the_host_as_this_invocations(host: HostLines) -> None:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(for_this_request(log.warning), "seal_broken").result()

    assert host.lines == [("this-invocation", "seal_broken")]


def test_many_may_do_it_at_once() -> None:
    together = Barrier(4)

    def meet(number: int) -> int:
        together.wait(10)
        return 2 * number

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(for_this_request(meet), range(4))) == [0, 2, 4, 6]


def test_nothing_is_measured_on_another_thread() -> None:
    measurement = Measurement("verify", "mine")

    def read() -> None:
        with stage("store"):
            note(candidates=7)

    with gathered(measurement), ThreadPoolExecutor(1) as threads:
        threads.submit(for_this_request(read)).result()

    assert (measurement.seconds["store"], measurement.candidates) == (0.0, 0)
