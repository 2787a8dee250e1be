"""The gate: a few at work, a few waiting in their order, everybody else refused at once."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event, Thread

import pytest

from shared.domain.errors import ServiceBusy
from shared.services.gate import Gate

LONG = 60.0
"""Seconds; nothing in a passing test takes so long."""


class Waiter(Thread):
    """Goes through the gate, notes it, and stays inside until it is let go."""

    def __init__(self, gate: Gate, name: str, order: list[str]) -> None:
        super().__init__(daemon=True)
        self.gate, self.called, self.order = gate, name, order
        self.inside, self.go, self.refused = Event(), Event(), False

    def run(self) -> None:
        try:
            with self.gate.admitted():
                self.order.append(self.called)
                self.inside.set()
                self.go.wait(LONG)
        except ServiceBusy:
            self.refused = True


def queued(gate: Gate, number: int) -> None:
    """Wait until so many are waiting."""
    while len(gate._queue) < number:
        Event().wait(0.001)


def test_as_many_as_said_are_inside_and_the_next_is_refused() -> None:
    gate = Gate(2, 0, LONG)
    with gate.admitted(), gate.admitted(), pytest.raises(ServiceBusy) as refusal, gate.admitted():
        raise AssertionError("a third was let in")
    assert refusal.value.retry_after_seconds == 1


def test_a_place_is_free_again_after_work_that_failed() -> None:
    gate = Gate(1, 0, LONG)
    with pytest.raises(KeyError), gate.admitted():
        raise KeyError
    with gate.admitted():
        pass


def test_who_waits_gets_in_when_a_place_is_free_in_the_order_of_arrival() -> None:
    gate, order = Gate(1, 2, LONG), list[str]()
    first, second = Waiter(gate, "first", order), Waiter(gate, "second", order)
    with gate.admitted():
        first.start()
        queued(gate, 1)
        second.start()
        queued(gate, 2)
    assert first.inside.wait(LONG)
    assert order == ["first"]
    first.go.set()
    assert second.inside.wait(LONG)
    second.go.set()
    second.join(LONG)
    assert order == ["first", "second"]


def test_who_finds_the_queue_full_is_refused_while_the_others_go_on_waiting() -> None:
    gate, order = Gate(1, 1, LONG), list[str]()
    waiting = Waiter(gate, "waiting", order)
    with gate.admitted():
        waiting.start()
        queued(gate, 1)
        with pytest.raises(ServiceBusy), gate.admitted():
            raise AssertionError("there was no place to wait")
    assert waiting.inside.wait(LONG)
    waiting.go.set()
    waiting.join(LONG)
    assert not waiting.refused


def test_who_waited_for_too_long_is_refused_and_leaves_the_queue() -> None:
    gate = Gate(1, 1, 0.0)
    with gate.admitted():
        for _ in range(3):  # a place in the queue that was not given back would show at the second
            with pytest.raises(ServiceBusy), gate.admitted():
                raise AssertionError("two are inside")
            assert not gate._queue
    with gate.admitted():
        pass


def test_no_place_is_lost_or_made_under_many_at_once() -> None:
    gate, order = Gate(3, 50, LONG), list[str]()
    crowd = [Waiter(gate, str(number), order) for number in range(40)]
    for one in crowd:
        one.go.set()
        one.start()
    for one in crowd:
        one.join(LONG)
    assert len(order) == 40
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(gate.admitted())
        assert gate._free == 0
    assert gate._free == 3
