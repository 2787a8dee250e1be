"""How slowly a body may come, and how many bytes a process holds."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.errors import BodyTooSlow, ServiceBusy
from shared.http.uploads import BodySpace, Pace, Patience

HOURS = 3_600.0


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time is set by hand."""

    at = 0.0

    def time(self) -> float:
        return self.at


def pace(patience: Patience, *parts: tuple[float, int]) -> Pace:
    """After parts that came at these seconds, with so many bytes. Raises ``BodyTooSlow``."""
    with asyncio.Runner(loop_factory=Clock) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Clock)

        async def run() -> Pace:
            measured = Pace(1_000, patience)
            for seconds, size in parts:
                loop.at = seconds
                measured.count(size)
            measured.now_seconds = measured.patience_seconds  # type: ignore[attr-defined]  # needs the loop
            return measured

        return runner.run(run())


def patience_after(patience: Patience, *parts: tuple[float, int]) -> float:
    return float(pace(patience, *parts).now_seconds)  # type: ignore[attr-defined]


def test_bytes_are_waited_for_as_long_as_a_stall_may_last() -> None:
    assert patience_after(Patience(20.0, 60.0, 10.0)) == 20.0
    assert patience_after(Patience(20.0, 60.0, 10.0), (30.0, 1)) == 20.0


def test_near_the_end_of_a_slow_minute_only_its_rest_is_waited_for() -> None:
    assert patience_after(Patience(20.0, 60.0, 10.0), (55.0, 599)) == 5.0
    assert patience_after(Patience(20.0, 60.0, 10.0), (55.0, 600)) == 20.0


def test_a_minute_with_too_few_bytes_is_refused_with_what_came() -> None:
    with pytest.raises(BodyTooSlow) as refusal:
        pace(Patience(HOURS, 60.0, 10.0), (30.0, 300), (60.0, 299))
    assert (refusal.value.received_bytes, refusal.value.announced_bytes) == (599, 1_000)


def test_a_minute_with_enough_bytes_begins_another_that_counts_anew() -> None:
    patience = Patience(HOURS, 60.0, 10.0)
    assert pace(patience, (30.0, 5_000), (60.0, 1), (119.0, 1)).received == 5_002
    with pytest.raises(BodyTooSlow):
        pace(patience, (30.0, 5_000), (60.0, 1), (120.0, 1))


def test_space_that_is_given_back_may_be_taken_again() -> None:
    space = BodySpace(10)
    space.take(10)
    with pytest.raises(ServiceBusy):
        space.take(1)
    space.give_back(4)
    space.take(4)
    assert space.free == 0
