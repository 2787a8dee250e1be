"""The gate: a few at work, a few waiting in their order, everybody else refused at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import wraps

import pytest

from shared.domain.errors import ServiceBusy
from shared.services.gate import Gate, OneAtATime

LONG = 60.0
"""Seconds; nothing in a passing test takes so long."""


def in_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), LONG))

    return run


class Waiter:
    """Goes through the gate, notes it, and stays inside until it is let go."""

    def __init__(self, gate: Gate, name: str, order: list[str], whose: str) -> None:
        self.gate, self.called, self.order, self.whose = gate, name, order, whose
        self.inside, self.go = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self.gate.admitted(self.whose):
            self.order.append(self.called)
            self.inside.set()
            await self.go.wait()

    async def leaves(self) -> None:
        await self.inside.wait()
        self.go.set()
        await self.task


async def queued(gate: Gate, name: str, order: list[str], whose: str = "mine") -> Waiter:
    """Somebody who has taken a place in the queue."""
    waiter, before = Waiter(gate, name, order, whose), list(gate._queue)
    while list(gate._queue) == before:
        await asyncio.sleep(0)
    return waiter


async def refused(gate: Gate, whose: str = "mine") -> ServiceBusy:
    with pytest.raises(ServiceBusy) as refusal:
        async with gate.admitted(whose):
            raise AssertionError("there was no place")
    return refusal.value


@in_a_loop
async def test_as_many_as_said_are_inside_and_work_that_failed_leaves_its_place() -> None:
    gate = Gate(2, 0, LONG)
    with pytest.raises(KeyError):
        async with gate.admitted("mine"):
            raise KeyError
    async with gate.admitted("mine"), gate.admitted("mine"):
        assert (await refused(gate)).retry_after_seconds == 1


@in_a_loop
async def test_who_waits_gets_in_by_order_of_arrival_and_who_finds_the_queue_full_is_refused() -> None:
    gate, order = Gate(1, 2, LONG), list[str]()
    async with gate.admitted("mine"):
        first, second = await queued(gate, "first", order), await queued(gate, "second", order)
        await refused(gate)
    await first.inside.wait()
    assert order == ["first"]
    await first.leaves()
    await second.leaves()
    assert order == ["first", "second"]


@in_a_loop
async def test_a_newcomer_does_not_overtake_who_was_just_called_in() -> None:
    gate, order = Gate(1, 1, LONG), list[str]()
    async with gate.admitted("mine"):
        waiting = await queued(gate, "waiting", order)
    newcomer = await queued(gate, "newcomer", order)  # the place is taken, though nobody may be inside yet
    await waiting.inside.wait()
    assert order == ["waiting"]
    await waiting.leaves()
    await newcomer.leaves()


@in_a_loop
async def test_who_waited_for_too_long_is_refused_and_leaves_the_queue() -> None:
    gate = Gate(1, 1, 0.0)
    async with gate.admitted("mine"):
        for _ in range(3):  # a place in the queue that was not given back would show at the second
            await refused(gate)
            assert not gate._queue
    async with gate.admitted("mine"):
        pass


@pytest.mark.parametrize("called_in", [False, True], ids=["still waiting", "just called in"])
def test_who_gives_up_waiting_loses_no_place(called_in: bool) -> None:
    @in_a_loop
    async def run() -> None:
        gate, order = Gate(1, 1, LONG), list[str]()
        async with gate.admitted("mine"):
            waiting = await queued(gate, "waiting", order)
            if not called_in:
                waiting.task.cancel()
                await asyncio.wait([waiting.task])
        waiting.task.cancel()
        await asyncio.wait([waiting.task])
        assert (order, list(gate._queue), gate._free) == ([], [], 1)

    run()


@in_a_loop
async def test_no_place_is_lost_or_made_under_many_at_once() -> None:
    gate, order = Gate(3, 50, LONG), list[str]()
    crowd = [Waiter(gate, str(number), order, "mine") for number in range(40)]
    for waiter in crowd:
        waiter.go.set()
    await asyncio.wait([waiter.task for waiter in crowd])
    assert sorted(order, key=int) == [str(number) for number in range(40)]
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(gate.admitted("mine"))
        assert gate._free == 0
    assert gate._free == 3


@in_a_loop
async def test_the_newest_of_who_holds_the_most_makes_room_for_who_holds_less() -> None:
    gate, order = Gate(1, 2, LONG), list[str]()
    async with gate.admitted("greedy"):
        first, second = [await queued(gate, f"greedy {number}", order, "greedy") for number in (1, 2)]
        modest = await queued(gate, "modest", order, "modest")
        with pytest.raises(ServiceBusy):
            await second.task
        for whose in ("greedy", "modest"):  # two and one: neither drives the other out
            await refused(gate, whose)
    for waiter in (first, modest):
        await waiter.leaves()
    assert order == ["greedy 1", "modest"]
    assert (gate._free, gate._at_work) == (1, {})


async def asks(gate: Gate, whose: str, served: Counter[str]) -> None:
    with suppress(ServiceBusy):
        async with gate.admitted(whose):
            for _ in range(5):
                await asyncio.sleep(0)
            served[whose] += 1
    await asyncio.sleep(0)


@pytest.mark.parametrize(("at_once", "waiting"), [(1, 1), (2, 4), (4, 8)])
def test_a_flood_of_one_subscription_starves_no_other(at_once: int, waiting: int) -> None:
    """Each of 20 callers of the one asks again as soon as it is answered; the other asks one thing after another."""

    @in_a_loop
    async def run() -> None:
        gate, served = Gate(at_once, waiting, LONG), Counter[str]()

        async def floods() -> None:
            while True:
                await asks(gate, "flood", served)

        flood = [asyncio.create_task(floods()) for _ in range(20)]
        for _ in range(50):
            await asks(gate, "other", served)
        for task in flood:
            task.cancel()
        await asyncio.wait(flood)
        assert served["other"] == 50
        assert served["flood"] >= 45, "and what the other does not need stays the flood's"
        assert (gate._free, gate._at_work) == (at_once, {})

    run()


def test_one_at_a_time_refuses_the_second_and_admits_the_next() -> None:
    admission = OneAtATime(7)
    for _ in range(2):
        with suppress(KeyError), admission.admitted():
            with pytest.raises(ServiceBusy) as refusal, admission.admitted():
                raise AssertionError("there was no place")
            assert refusal.value.retry_after_seconds == 7
            raise KeyError  # work that fails leaves its place, too
