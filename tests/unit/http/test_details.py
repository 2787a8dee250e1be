"""Scores in two digits for those who may only recognise, and the rate that goes with them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calibration import Calibration
from shared.domain.decision import Decision, in_two_digits
from shared.domain.explanation import DecidedBy, Explanation
from shared.http.details import written

CALIBRATION = Calibration(-10.0, 20.0, 0.0, 0.0, 0.0, 0.01, 1.0, 12.0, "our calls", 60, 1_000)


@given(score=st.floats(0.0, 1.0))
def test_two_digits_are_never_above_the_score_and_less_than_a_hundredth_below(score: float) -> None:
    assert score - 0.01 < in_two_digits(score) <= score
    assert in_two_digits(in_two_digits(score)) == in_two_digits(score) == round(in_two_digits(score), 2)


@given(hundredths=st.integers(0, 100))
def test_two_digits_stay_as_they_are(hundredths: int) -> None:
    assert in_two_digits(hundredths / 100) == hundredths / 100


@given(score=st.floats(0.12, 0.7))
def test_the_rate_follows_the_rounded_score(score: float) -> None:
    known = Explanation(DecidedBy.VOICE, decision=Decision(score), calibration=CALIBRATION)
    full, rounded = (written(known, rounded=rounded) for rounded in (False, True))
    assert full["falseMatchRate"] == CALIBRATION.rate_at(score)
    assert rounded["falseMatchRate"] == CALIBRATION.rate_at(in_two_digits(score))
