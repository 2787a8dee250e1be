"""Each metric against its definition on made-up scores, or against a value worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.calibration.metrics import (
    Flags,
    Numbers,
    cllr,
    equal_error,
    errors_by_threshold,
    isotonic,
    min_cllr,
    min_dcf,
    shifted_cllr,
)

SAME = np.array([False, False, False, False, True, True])
SCORES = np.array([-2.0, -1.0, 0.0, 2.0, 1.0, 3.0])
"""In order: stranger, stranger, stranger, same, stranger, same."""

comparisons = (
    st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=25)
    .filter(lambda pairs: len({same for _, same in pairs}) == 2)
    .map(lambda pairs: (np.array([score for score, _ in pairs], float), np.array([same for _, same in pairs])))
)


@settings(max_examples=50)
@given(comparisons)
def test_rates_count_who_reaches_a_threshold(made_up: tuple[Numbers, Flags]) -> None:
    scores, same = made_up
    thresholds, false_match, false_non_match = errors_by_threshold(scores, same)
    assert thresholds.tolist() == [*sorted(set(scores.tolist())), math.inf]
    accepted = scores >= thresholds[:, None]
    assert false_match == pytest.approx(accepted[:, ~same].mean(axis=1), abs=1e-12)
    assert false_non_match == pytest.approx((~accepted[:, same]).mean(axis=1), abs=1e-12)
    costs = 0.01 * false_non_match + 0.99 * false_match
    assert min_dcf(scores, same, prior=0.01) == pytest.approx(costs.min() / 0.01)


def test_the_equal_error_rate_lies_between_the_nearest_rates() -> None:
    # At threshold 1: 0.25 and 0; at 2: 0.25 and 0.5. Both differ by 0.25, the first counts.
    assert equal_error(SCORES, SAME) == pytest.approx(0.125)
    assert equal_error(np.array([0.0, 2.0, 1.0, 3.0]), np.array([False, False, True, True])) == pytest.approx(0.5)


def test_the_least_detection_cost_weighs_by_the_prior() -> None:
    # At 1 %, best at threshold 3: no false match, half of the speaker's own missed. At even odds, best at threshold 1.
    assert min_dcf(SCORES, SAME, prior=0.01) == pytest.approx(0.5)
    assert min_dcf(SCORES, SAME, prior=0.5) == pytest.approx(0.25)


def test_the_cost_of_known_likelihood_ratios() -> None:
    # Ratios 3 for the speaker, 1/3 and 1 for strangers: (log2(4/3) + (log2(4/3) + log2(2)) / 2) / 2.
    expected = (math.log2(4 / 3) + (math.log2(4 / 3) + 1.0) / 2) / 2
    assert cllr(np.log([3.0, 1 / 3, 1.0]), np.array([True, False, False])) == pytest.approx(expected)
    assert cllr(np.zeros(6), SAME) == pytest.approx(1.0)  # silence costs one bit


@settings(max_examples=50)
@given(comparisons)
def test_pooling_gives_the_nearest_chances_that_never_descend(made_up: tuple[Numbers, Flags]) -> None:
    """The chance at a score is the largest of the least means over stretches around it (Barlow et al., 1972)."""
    scores, same = made_up
    values = np.unique(scores)

    def mean(low: float, high: float) -> float:
        return float(same[(scores >= low) & (scores <= high)].mean())

    for score, chance in zip(scores, isotonic(scores, same), strict=True):
        stretches = [[mean(low, high) for high in values if high >= score] for low in values if low <= score]
        assert chance == pytest.approx(max(map(min, stretches)))


def test_the_cost_of_order_alone() -> None:
    # Pooled chance 1/2 at a prior of 2 in 6 is a ratio of 2: one of two of the speaker's own, one of four strangers.
    expected = (0.5 * math.log2(1 + 1 / 2) + 0.25 * math.log2(1 + 2)) / 2
    assert min_cllr(SCORES, SAME) == pytest.approx(expected)
    assert min_cllr(np.array([-0.1, 0.0, 0.1]), np.array([False, False, True])) == pytest.approx(0.0)


def test_a_shift_of_all_scores_is_taken_out_and_nothing_else() -> None:
    scores = np.array([-1.0, 1.0, -1.0, 1.0])
    same = np.array([False, True, True, False])
    assert shifted_cllr(scores + 4.0, same) == pytest.approx(cllr(scores, same), abs=1e-9)
    assert cllr(scores + 4.0, same) > cllr(scores, same) + 0.5


def test_one_kind_of_comparison_alone_has_no_rates() -> None:
    with pytest.raises(ValueError, match="same speaker and of strangers"):
        equal_error(np.array([1.0, 2.0]), np.array([True, True]))
