"""From a score to Accept or Reject, and how sure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.decision import ACCEPT_SCORE, Confidence, Decision, long_speech, open_set

SCORES = st.floats(min_value=0.0, max_value=1.0)
INSIDE = st.floats(min_value=1e-6, max_value=1.0 - 1e-6)


def test_the_threshold_itself_is_accepted() -> None:
    assert Decision(ACCEPT_SCORE).accepted
    assert not Decision(math.nextafter(ACCEPT_SCORE, 0.0)).accepted


@pytest.mark.parametrize(
    ("scores", "confidence"),
    [
        ((0.0, 0.09, 0.91, 1.0), Confidence.HIGH),
        ((0.11, 0.29, 0.71, 0.89), Confidence.NORMAL),
        ((0.31, 0.5, 0.69), Confidence.LOW),
    ],
)
def test_confidence_grows_with_the_distance_from_the_threshold(
    scores: tuple[float, ...], confidence: Confidence
) -> None:
    assert {Decision(score).confidence for score in scores} == {confidence}


def test_a_moved_threshold_moves_the_bands_with_it() -> None:
    strict = Decision(0.91, threshold=0.9)
    assert (strict.accepted, strict.confidence) == (True, Confidence.LOW)
    ends = [Decision(score, threshold) for score in (0.0, 0.5, 1.0) for threshold in (0.0, 1.0)]
    assert all(decision.confidence in Confidence for decision in ends)


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
def test_each_candidate_more_makes_every_score_weaker(score: float, candidates: int) -> None:
    assert 0.0 < open_set(score, candidates + 1) <= open_set(score, candidates) < score


@pytest.mark.parametrize(("candidates", "odds"), [(40, 16), (40_000, 16 * 1000**0.35)])
def test_what_a_list_costs_in_the_odds(candidates: int, odds: float) -> None:
    """One per cent for each of forty, against two and a half for all; then 0.35 of each ``ln N`` in the log odds."""
    assert open_set(odds / (odds + 1), candidates) == pytest.approx(0.5)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_certain_score_stays_certain_in_a_list(score: float) -> None:
    assert open_set(score, 50) == score


@pytest.mark.parametrize(
    ("seconds", "expected"), [(2.0, 0.9), (12.0, 0.9), (36.0, 0.75), (48.0, 0.6923), (1e4, 0.6923)]
)
def test_much_speech_is_held_to_more(seconds: float, expected: float) -> None:
    assert long_speech(0.9, seconds) == pytest.approx(expected, abs=1e-4)
    assert (long_speech(0.0, seconds), long_speech(1.0, seconds)) == (0.0, 1.0)
