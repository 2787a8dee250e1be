"""What a false-match rate is in scores, and how low a rate may be spoken of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.calibration import Calibration

CALIBRATION = Calibration(-30.0, 44.0, -2.0, -1.0, 0.0, 0.01, 1.0, 12.0, "a test", 40, 1_000)


def test_the_calibrations_own_rate_is_the_score_of_one_half() -> None:
    assert CALIBRATION.score_at(0.01) == pytest.approx(0.5)
    assert replace(CALIBRATION, false_match_rate=0.03).score_at(0.03) == pytest.approx(0.5)


@pytest.mark.parametrize(("rate", "score"), [(0.001, 0.9556), (0.005, 0.7159), (0.02, 0.2841), (0.05, 0.1047)])
def test_rarer_strangers_ask_for_a_higher_score(rate: float, score: float) -> None:
    assert CALIBRATION.score_at(rate) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize(
    ("speakers", "rate"), [(40, 3 / 380), (41, 3 / 380), (200, 3 / 9_900), (4, 1.0), (3, 1.0), (1, 1.0), (0, 1.0)]
)
def test_no_rate_is_spoken_of_below_three_in_the_pairs_that_were_measured(speakers: int, rate: float) -> None:
    assert replace(CALIBRATION, fitted_speakers=speakers).smallest_rate == pytest.approx(rate)
