"""Timer triggers: NCRONTAB schedules in UTC, fired in the background of the event loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from croniter import CroniterError, croniter

from localhost.failure import CannotStart
from localhost.worker import Function, FunctionFailed, Worker


def next_run(schedule: str, after: datetime) -> datetime:
    """When a six-field NCRONTAB schedule (seconds first) is next due after `after`. Raises `ValueError`."""
    if len(schedule.split()) != 6:
        raise ValueError("an NCRONTAB schedule has six fields")
    # NCRONTAB wants day of month AND day of week to hold; croniter would take either by default.
    due: datetime = croniter(schedule, after, second_at_beginning=True, day_or=False).get_next(datetime)
    return due


class Timers:
    """Runs every timer function at its times; a run that is still going is never joined by a second one."""

    def __init__(self, worker: Worker, functions: Iterable[Function]) -> None:
        self._worker = worker
        self._timers = [(function, _schedule(function)) for function in functions if function.kind == "timerTrigger"]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(function, schedule)) for function, schedule in self._timers]

    async def stop(self, seconds: float) -> None:
        """Let a running timer finish for at most `seconds`."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _keep(self, function: Function, schedule: str) -> None:
        due = datetime.now(UTC)
        while not self._stopping.is_set():
            # A sleep may end a little early: counting from the last due time never fires it twice.
            due = next_run(schedule, max(due, datetime.now(UTC)))
            wait = (due - datetime.now(UTC)).total_seconds()
            try:
                await asyncio.wait_for(self._stopping.wait(), max(wait, 0.0))
            except TimeoutError:
                await self._fire(function)

    async def _fire(self, function: Function) -> None:
        try:
            await self._worker.fire(function)
        except FunctionFailed as failure:
            print(f"timer {function.name} failed\n{failure.trace}", file=sys.stderr, flush=True)


def _schedule(function: Function) -> str:
    """Raises `CannotStart`."""
    schedule = str(function.trigger["schedule"])
    try:
        next_run(schedule, datetime.now(UTC))
    except (ValueError, CroniterError):
        raise CannotStart(
            f'The schedule "{schedule}" of {function.name} is not a six-field NCRONTAB schedule.'
        ) from None
    return schedule
