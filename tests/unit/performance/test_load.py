"""What the load test counts, and that its open loop keeps to the clock's number of requests."""

from __future__ import annotations

from http.client import HTTPConnection
from threading import Event

import pytest

from tests.performance import load
from tests.performance.load import Outcome, closed_loop, open_loop, row


def nowhere() -> HTTPConnection:
    """Never connected."""
    return HTTPConnection("127.0.0.1", 9)


def test_answers_refusals_and_failures_are_told_apart() -> None:
    found = [Outcome(200, 0.1), Outcome(202, 0.3), Outcome(503, 0.01, "1"), Outcome(429, 0.03, "2")]
    found += [Outcome(503, 1.0), Outcome(0, 1.0), Outcome(500, 1.0)]
    counted = row("verify", "3", None, found, 2.0, 100.0, 4)
    assert (counted.answered, counted.refused, counted.failed, counted.not_sent) == (1.0, 2, 3, 4)
    assert (counted.p50, counted.refused_p50) == (200.0, 20.0)


def test_without_answers_there_are_no_times() -> None:
    counted = row("verify", "1", None, [Outcome(0, 1.0)], 1.0, None, 0)
    assert (counted.p50, counted.p99, counted.refused_p50) == (None, None, None)


def test_the_open_loop_sends_as_many_as_fall_due() -> None:
    found, _, lost = open_loop(nowhere, lambda _: Outcome(200, 0.0), rate=2000.0, seconds=0.05)
    assert (len(found), lost) == (100, 0)


def test_the_open_loop_counts_what_it_could_not_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_UNDER_WAY", 1)
    stuck = Event()

    def send(_: HTTPConnection) -> Outcome:
        stuck.wait(0.2)
        return Outcome(200, 0.2)

    found, took, lost = open_loop(nowhere, send, rate=1000.0, seconds=0.01)
    assert (len(found), lost) == (1, 9)
    assert took >= 0.2


def test_every_client_of_the_closed_loop_gets_a_turn() -> None:
    found, _ = closed_loop(nowhere, lambda _: Outcome(200, 0.0), clients=3, seconds=0.01)
    assert len(found) >= 3
