"""From a score to Accept or Reject, and how sure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.decision import ACCEPT_SCORE, Confidence, Decision, open_set

SCORES = st.floats(min_value=0.0, max_value=1.0)
INSIDE = st.floats(min_value=1e-6, max_value=1.0 - 1e-6)


def test_the_threshold_itself_is_accepted() -> None:
    assert Decision(ACCEPT_SCORE).accepted
    assert not Decision(math.nextafter(ACCEPT_SCORE, 0.0)).accepted


@pytest.mark.parametrize(
    ("score", "confidence"),
    [
        (0.0, Confidence.HIGH),
        (0.09, Confidence.HIGH),
        (0.11, Confidence.NORMAL),
        (0.29, Confidence.NORMAL),
        (0.31, Confidence.LOW),
        (0.5, Confidence.LOW),
        (0.69, Confidence.LOW),
        (0.71, Confidence.NORMAL),
        (0.89, Confidence.NORMAL),
        (0.91, Confidence.HIGH),
        (1.0, Confidence.HIGH),
    ],
)
def test_confidence_grows_with_the_distance_from_the_threshold(score: float, confidence: Confidence) -> None:
    assert Decision(score).confidence is confidence


def test_a_moved_threshold_moves_the_bands_with_it() -> None:
    strict = Decision(0.91, threshold=0.9)
    assert strict.accepted
    assert strict.confidence is Confidence.LOW


@pytest.mark.parametrize("threshold", [0.0, 1.0])
@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_a_threshold_at_an_end_of_the_scale_still_has_a_band(score: float, threshold: float) -> None:
    assert Decision(score, threshold).confidence in Confidence


@given(SCORES, st.floats(min_value=0.05, max_value=0.95))
def test_moving_away_from_the_threshold_never_lowers_confidence(score: float, threshold: float) -> None:
    order = [Confidence.LOW, Confidence.NORMAL, Confidence.HIGH]
    further = min(1.0, score + 0.05) if score >= threshold else max(0.0, score - 0.05)
    nearer, farther = Decision(score, threshold).confidence, Decision(further, threshold).confidence
    assert order.index(farther) >= order.index(nearer)


@given(SCORES, st.integers(min_value=1, max_value=2))
def test_a_list_too_short_to_reach_the_false_alarm_rate_leaves_scores_alone(score: float, candidates: int) -> None:
    assert open_set(score, candidates) == score


@given(INSIDE, st.integers(min_value=3, max_value=100_000))
def test_more_candidates_make_every_score_weaker(score: float, candidates: int) -> None:
    assert 0.0 < open_set(score, candidates) < score


def test_forty_candidates_cost_a_factor_of_sixteen_in_the_odds() -> None:
    """One per cent for each of forty, against two and a half for all of them."""
    assert open_set(16 / 17, 40) == pytest.approx(0.5)


def test_a_list_of_forty_thousand_costs_less_than_a_thousand_times_that_of_forty() -> None:
    """16 in the odds at forty candidates, and 0.35 of each further ``ln N`` in the log odds."""
    odds = 16 * 1000**0.35
    assert open_set(odds / (odds + 1), 40_000) == pytest.approx(0.5)


@given(INSIDE, st.integers(min_value=3, max_value=100_000))
def test_one_candidate_more_never_makes_a_score_stronger(score: float, candidates: int) -> None:
    assert open_set(score, candidates + 1) <= open_set(score, candidates)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_certain_score_stays_certain_in_a_list(score: float) -> None:
    assert open_set(score, 50) == score
