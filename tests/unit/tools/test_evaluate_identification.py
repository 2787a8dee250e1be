"""Lists of candidates with made-up scores, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.calibration import Calibration
from shared.inference import calibration
from tools.calibration.fit import Line, line_of
from tools.evaluation.identification import Asked, outcome


def asked(own: float, others: float, speakers: int = 20, profiles: int = 30) -> list[Asked]:
    """Each speaker once: log-odds ``own`` for his profile, ``others`` for all the rest."""
    return [Asked(one, one, np.where(np.arange(profiles) == one, own, others).astype(float)) for one in range(speakers)]


def test_a_clear_best_candidate_is_named_and_strangers_are_not() -> None:
    found = outcome(asked(own=9.0, others=-9.0), 10, shifted=True)
    assert (found.rank_1.value, found.misses.value, found.false_alarms.value) == (1.0, 0.0, 0.0)
    assert found.misses.high == pytest.approx(3 / 20)  # rule of 3
    whole = outcome(asked(own=9.0, others=-9.0, speakers=5, profiles=5), 5, shifted=True)
    assert (whole.candidates, whole.tests, whole.speakers) == (5, 5, 5)


def test_another_who_scores_higher_is_a_mistake() -> None:
    found = outcome(asked(own=5.0, others=6.0), 10, shifted=True)
    assert (found.rank_1.value, found.misses.value, found.mistaken.value) == (0.0, 1.0, 1.0)
    assert found.false_alarms.value == 1.0


def test_the_correction_of_the_service_is_applied() -> None:
    above_ln_12 = asked(own=2.6, others=-9.0, profiles=70)  # what a list of 30 asks for, with an aim of 2.5 %
    assert outcome(above_ln_12, 30, shifted=True).misses.value == 0.0
    assert outcome(above_ln_12, 40, shifted=True).misses.value == 1.0
    assert outcome(above_ln_12, 40, shifted=False).misses.value == 0.0


def test_strangers_on_longer_lists_meet_more_chances() -> None:
    random = np.random.default_rng(1)
    many = [Asked(one, one, random.normal(-4.0, 2.0, 100)) for one in range(50)]
    short, long = (outcome(many, count, shifted=False).false_alarms.value for count in (5, 80))
    assert long > 2 * short
    assert outcome(many, 80, shifted=True).false_alarms.value < long


def test_a_line_scores_as_the_service_does() -> None:
    card = Calibration(-30.2, 44.5, -2.0, -1.1, 0.3, 0.01, 1.0, 12.0, "made up", 1, 1)
    cosine, seconds = np.array([0.6, 0.7, 0.8]), np.array([0.5, 5.0, 90.0])
    line: Line = line_of(card)
    logit = line.log_odds(cosine, np.minimum(seconds, 4.0), np.maximum(seconds, 4.0))
    assert calibration.sigmoid(logit) == pytest.approx(calibration.scores(card, cosine, 4.0, seconds))
