"""Each metric against a value worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tools.calibration.metrics import (
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


def test_errors_at_every_threshold() -> None:
    thresholds, false_match, false_non_match = errors_by_threshold(SCORES, SAME)
    assert thresholds.tolist() == [-2, -1, 0, 1, 2, 3, math.inf]
    assert false_match.tolist() == [1, 0.75, 0.5, 0.25, 0.25, 0, 0]
    assert false_non_match.tolist() == [0, 0, 0, 0, 0.5, 0.5, 1]


def test_equal_scores_are_accepted_together() -> None:
    thresholds, false_match, false_non_match = errors_by_threshold(np.zeros(3), np.array([True, False, False]))
    assert (thresholds.tolist(), false_match.tolist(), false_non_match.tolist()) == ([0, math.inf], [1, 0], [0, 1])


def test_the_equal_error_rate_lies_between_the_nearest_rates() -> None:
    # At threshold 1: 0.25 and 0; at 2: 0.25 and 0.5. Both differ by 0.25, the first counts.
    assert equal_error(SCORES, SAME) == pytest.approx(0.125)


@pytest.mark.parametrize(("scores", "expected"), [([0, 1, 2, 3], 0.0), ([0, 2, 1, 3], 0.5)])
def test_equal_error_of_a_known_order(scores: list[float], expected: float) -> None:
    assert equal_error(np.array(scores, float), np.array([False, False, True, True])) == pytest.approx(expected)


def test_the_least_detection_cost_weighs_a_false_match_99_times_at_a_prior_of_one_percent() -> None:
    # Best at threshold 3: no false match, half of the speaker's own missed.
    assert min_dcf(SCORES, SAME, prior=0.01) == pytest.approx(0.5)


def test_the_least_detection_cost_at_even_odds() -> None:
    # Best at threshold 1: (0.5 * 0 + 0.5 * 0.25) / 0.5.
    assert min_dcf(SCORES, SAME, prior=0.5) == pytest.approx(0.25)


def test_silence_costs_one_bit() -> None:
    assert cllr(np.zeros(6), SAME) == pytest.approx(1.0)


def test_the_cost_of_known_likelihood_ratios() -> None:
    # Ratios 3 for the speaker, 1/3 and 1 for strangers: (log2(4/3) + (log2(4/3) + log2(2)) / 2) / 2.
    ratios = np.log([3.0, 1 / 3, 1.0])
    expected = (math.log2(4 / 3) + (math.log2(4 / 3) + 1.0) / 2) / 2
    assert cllr(ratios, np.array([True, False, False])) == pytest.approx(expected)


def test_confident_and_wrong_costs_more_than_silence() -> None:
    assert cllr(np.array([-5.0, 5.0]), np.array([True, False])) > 5.0


def test_pooling_adjacent_violators() -> None:
    # The speaker at 1 and the stranger at 2 are out of order and share a chance of one half.
    assert isotonic(SCORES, SAME).tolist() == [0, 0, 0, 0.5, 0.5, 1]


def test_the_cost_of_order_alone() -> None:
    # Pooled chance 1/2 at a prior of 2 in 6 is a ratio of 2: one of two of the speaker's own, one of four strangers.
    expected = (0.5 * math.log2(1 + 1 / 2) + 0.25 * math.log2(1 + 2)) / 2
    assert min_cllr(SCORES, SAME) == pytest.approx(expected)


def test_perfect_order_costs_nothing_whatever_the_scale() -> None:
    assert min_cllr(np.array([-0.1, 0.0, 0.1]), np.array([False, False, True])) == pytest.approx(0.0)


def test_a_shift_of_all_scores_is_taken_out_and_nothing_else() -> None:
    scores = np.array([-1.0, 1.0, -1.0, 1.0])
    same = np.array([False, True, True, False])
    symmetric = cllr(scores, same)
    assert shifted_cllr(scores + 4.0, same) == pytest.approx(symmetric, abs=1e-9)
    assert cllr(scores + 4.0, same) > symmetric + 0.5


def test_one_kind_of_comparison_alone_has_no_rates() -> None:
    with pytest.raises(ValueError, match="same speaker and of strangers"):
        equal_error(np.array([1.0, 2.0]), np.array([True, True]))
