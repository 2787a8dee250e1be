"""What is tried, how often, and what is said of a part that does not work."""

from __future__ import annotations

import pytest

from shared.domain.errors import StorageUnavailable
from shared.services.readiness import KEPT_SECONDS, Readiness


def fails() -> None:
    raise StorageUnavailable


def test_every_part_is_tried_though_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    assert Readiness({"storage": fails, "model": lambda: None})() == {"storage": False, "model": True}
    assert caplog.messages == ["not_ready part=storage error=StorageUnavailable"]


def test_asking_again_tries_nothing_until_some_time_has_passed() -> None:
    now, tried = [0.0], [0]

    def part() -> None:
        tried[0] += 1

    readiness = Readiness({"part": part}, lambda: now[0])
    for moment in (0.0, KEPT_SECONDS - 1.0):
        now[0] = moment
        assert readiness() == {"part": True}
    assert tried == [1]
    now[0] = KEPT_SECONDS
    readiness()
    assert tried == [2]


def test_a_part_that_works_again_is_ready_again() -> None:
    now, broken = [0.0], [True]

    def part() -> None:
        if broken[0]:
            fails()

    readiness = Readiness({"part": part}, lambda: now[0])
    assert readiness() == {"part": False}
    broken[0], now[0] = False, KEPT_SECONDS
    assert readiness() == {"part": True}
