"""Digits are drawn evenly, and none follows itself."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from shared.domain.challenge import draw


@pytest.mark.parametrize("count", [6, 10])
def test_every_digit_is_as_likely_in_every_place_and_none_follows_itself(count: int) -> None:
    random = np.random.default_rng(1)
    drawn = [draw(count, lambda bound: int(random.integers(bound))) for _ in range(4_000)]
    assert {len(digits) for digits in drawn} == {count}
    assert not any(first == second for digits in drawn for first, second in pairwise(digits))
    for place in range(count):
        counts = Counter(digits[place] for digits in drawn)
        assert sorted(counts) == list("0123456789")
        assert all(abs(times - 400) < 100 for times in counts.values()), "five standard deviations"


def test_it_asks_the_generator_for_each_digit() -> None:
    asked = []

    def below(bound: int) -> int:
        asked.append(bound)
        return bound - 1

    assert draw(6, below) == "989898"
    assert asked == [10, 9, 9, 9, 9, 9]
