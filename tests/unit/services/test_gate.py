"""The gate: a few at work, a few waiting in their order, everybody else refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import wraps

import pytest

from shared.domain.errors import ServiceBusy
from shared.services.gate import Gate

LONG = 60.0
"""Seconds; nothing in a passing test takes so long."""


def in_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), LONG))

    return run


class Waiter:
    """Goes through the gate, notes it, and stays inside until it is let go."""

    def __init__(self, gate: Gate, name: str, order: list[str]) -> None:
        self.gate, self.called, self.order = gate, name, order
        self.inside, self.go = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self.gate.admitted():
            self.order.append(self.called)
            self.inside.set()
            await self.go.wait()

    async def leaves(self) -> None:
        await self.inside.wait()
        self.go.set()
        await self.task


async def queued(gate: Gate, name: str, order: list[str]) -> Waiter:
    """Somebody who has taken a place in the queue."""
    waiter, before = Waiter(gate, name, order), len(gate._queue)
    while len(gate._queue) == before:
        await asyncio.sleep(0)
    return waiter


async def refused(gate: Gate) -> ServiceBusy:
    with pytest.raises(ServiceBusy) as refusal:
        async with gate.admitted():
            raise AssertionError("there was no place")
    return refusal.value


@in_a_loop
async def test_as_many_as_said_are_inside_and_work_that_failed_leaves_its_place() -> None:
    gate = Gate(2, 0, LONG)
    with pytest.raises(KeyError):
        async with gate.admitted():
            raise KeyError
    async with gate.admitted(), gate.admitted():
        assert (await refused(gate)).retry_after_seconds == 1


@in_a_loop
async def test_who_waits_gets_in_by_order_of_arrival_and_who_finds_the_queue_full_is_refused() -> None:
    gate, order = Gate(1, 2, LONG), list[str]()
    async with gate.admitted():
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
    async with gate.admitted():
        waiting = await queued(gate, "waiting", order)
    newcomer = await queued(gate, "newcomer", order)  # the place is taken, though nobody may be inside yet
    await waiting.inside.wait()
    assert order == ["waiting"]
    await waiting.leaves()
    await newcomer.leaves()


@in_a_loop
async def test_who_waited_for_too_long_is_refused_and_leaves_the_queue() -> None:
    gate = Gate(1, 1, 0.0)
    async with gate.admitted():
        for _ in range(3):  # a place in the queue that was not given back would show at the second
            await refused(gate)
            assert not gate._queue
    async with gate.admitted():
        pass


@pytest.mark.parametrize("called_in", [False, True], ids=["still waiting", "just called in"])
def test_who_gives_up_waiting_loses_no_place(called_in: bool) -> None:
    @in_a_loop
    async def run() -> None:
        gate, order = Gate(1, 1, LONG), list[str]()
        async with gate.admitted():
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
    crowd = [Waiter(gate, str(number), order) for number in range(40)]
    for waiter in crowd:
        waiter.go.set()
    await asyncio.wait([waiter.task for waiter in crowd])
    assert sorted(order, key=int) == [str(number) for number in range(40)]
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(gate.admitted())
        assert gate._free == 0
    assert gate._free == 3
