"""Storage's clock, learned from answers that say the second and take their time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.storage.backend.clock import SECOND, StorageClock

NOW = datetime(2026, 11, 22, 12, 0, 0, 750_000, tzinfo=UTC)


@dataclass
class World:
    """``own`` is wrong by ``off``. An answer takes ``there`` to be sent and ``back`` to arrive."""

    off: timedelta
    true: datetime = NOW
    monotonic: float = 100.0

    def __post_init__(self) -> None:
        self.clock = StorageClock(lambda: self.true + self.off, lambda: self.monotonic)

    def answer(self, there: timedelta, back: timedelta) -> None:
        sent = self.clock.own()
        self.true += there
        date = format_datetime(self.true.replace(microsecond=0), usegmt=True)
        self.true += back
        self.clock.hear(date, sent)

    @property
    def error(self) -> timedelta:
        return abs(self.clock() - self.true)


offsets = st.timedeltas(timedelta(days=-400), timedelta(days=400))
ways = st.timedeltas(timedelta(), timedelta(seconds=3))
Answers = list[tuple[timedelta, timedelta]]
answers = st.lists(st.tuples(ways, ways), min_size=1, max_size=5)


@given(off=offsets, answers=answers)
def test_the_time_is_storages_to_a_second_and_the_way(off: timedelta, answers: Answers) -> None:
    world = World(off)
    for there, back in answers:
        world.answer(there, back)
        assert world.error <= SECOND + there + back


@given(answers=answers)
def test_a_right_clock_is_never_moved(answers: Answers) -> None:
    world = World(timedelta())
    for there, back in answers:
        world.answer(there, back)
        assert (world.error, world.clock.skew(0.0)) == (timedelta(), timedelta())


def test_only_an_answer_that_came_since_says_how_far_the_clock_is_off() -> None:
    world = World(timedelta(minutes=-10))
    assert world.clock.skew(0.0) is None
    world.answer(timedelta(), timedelta())
    assert world.clock.skew(100.0) == pytest.approx(timedelta(minutes=10), abs=SECOND)
    assert world.clock.skew(100.1) is None


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 2026 12:00:00 GMT"])
def test_an_answer_without_a_date_says_nothing(date: str | None) -> None:
    world = World(timedelta(minutes=10))
    world.clock.hear(date, world.clock.own())
    assert (world.clock.skew(0.0), world.error) == (None, timedelta(minutes=10))
