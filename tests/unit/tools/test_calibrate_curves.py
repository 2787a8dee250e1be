"""Rates with intervals, and how much data they need."""

from __future__ import annotations

import numpy as np
import pytest

from tools.calibration.curves import Scored, curves
from tools.calibration.evidence import Evidence, Verdict


def made_up(people: int, each: int, seed: int) -> Scored:
    """Strangers' scores around -4, the same speaker's around 4, deviation 2: 2.28 % errors of both kinds at 0."""
    random = np.random.default_rng(seed)
    enrolled, tested = (side.ravel() for side in np.meshgrid(np.arange(people), np.arange(people)))
    enrolled, tested = (np.repeat(side, each) for side in (enrolled, tested))
    logit = np.where(enrolled == tested, 4.0, -4.0) + 2.0 * random.standard_normal(len(enrolled))
    return Scored(logit, enrolled, tested)


NONE = np.array([])


def test_rates_lie_inside_their_intervals_and_near_the_truth() -> None:
    drawn = curves(made_up(people=30, each=10, seed=1), np.array([0.0]), resamplings=100)
    false_match, false_non_match = drawn.at(0.0)
    assert false_match.low <= false_match.value <= false_match.high
    assert false_match.low < 0.0228 < false_match.high
    assert false_non_match.low < 0.0228 < false_non_match.high


def test_the_threshold_for_a_rate_lets_that_share_of_strangers_pass() -> None:
    scored = made_up(people=30, each=10, seed=2)
    found = curves(scored, NONE, resamplings=100).threshold_for(0.01)
    passed = scored.logit[~scored.same] >= found.value
    assert passed.mean() <= 0.01
    assert found.value == pytest.approx(-4.0 + 2.0 * 2.326, abs=0.2)
    assert found.low <= found.value <= found.high


def test_more_speakers_make_narrower_intervals() -> None:
    few, many = (curves(made_up(people, 4, seed=3), NONE, resamplings=100).equal_error for people in (8, 60))
    assert many.high - many.low < (few.high - few.low) / 2


def test_one_bad_speaker_widens_the_interval() -> None:
    """Every stranger compared with speaker 0 passes, or as many comparisons spread over all."""
    honest = made_up(people=20, each=10, seed=4)
    bad = np.where(~honest.same & (honest.enrolled == 0), 9.0, -9.0)
    spread = np.where(~honest.same & (np.arange(len(bad)) % 20 == 0), 9.0, -9.0)
    wide, narrow = (
        curves(Scored(np.where(honest.same, 9.0, logit), honest.enrolled, honest.tested), np.array([0.0]), 100).at(0.0)[
            0
        ]
        for logit in (bad, spread)
    )
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_the_det_curve_passes_through_the_rates_at_a_threshold() -> None:
    drawn = curves(made_up(people=20, each=10, seed=5), np.array([0.0]), resamplings=50)
    false_match, false_non_match = drawn.at(0.0)
    misses, low, high = drawn.misses_at(np.array([false_match.value]))
    assert misses[0] == pytest.approx(false_non_match.value, abs=0.002)
    assert low[0] <= misses[0] <= high[0]


def test_after_no_error_the_interval_ends_where_the_rule_of_3_puts_it() -> None:
    """Of pairs of different speakers, and of speakers."""
    false_match, false_non_match = curves(made_up(people=20, each=1, seed=6), NONE, resamplings=20).at(99.0)
    assert (false_match.value, false_match.high) == (0.0, 3 / 190)
    assert curves(made_up(people=20, each=1, seed=6), NONE, resamplings=20).at(-99.0)[1].high == 3 / 20
    assert false_non_match.value == 1.0


def test_strangers_alone_have_no_curve() -> None:
    with pytest.raises(ValueError, match="same speaker and of strangers"):
        curves(Scored(np.zeros(2), np.array([0, 1]), np.array([1, 0])), NONE)


@pytest.mark.parametrize(
    ("speakers", "wanted", "verdict"),
    [(20, 0.01, Verdict.TOO_LITTLE), (40, 0.01, Verdict.THIN), (78, 0.01, Verdict.ENOUGH), (40, 0.1, Verdict.ENOUGH)],
)
def test_pairs_of_speakers_decide_what_can_be_claimed(speakers: int, wanted: float, verdict: Verdict) -> None:
    """190 pairs allow 1.6 %, 780 pairs stand for 8 errors at 1 % and 78 at 10 %, 3,003 pairs for 30 at 1 %."""
    evidence = Evidence(speakers, speakers * (speakers - 1) // 2, wanted)
    assert evidence.verdict is verdict
    assert verdict.value in evidence.sentence.lower()


def test_the_sentence_says_how_many_speakers_are_wanted_and_nobody_compared_claims_nothing() -> None:
    assert "78 speakers" in Evidence(20, 190, 0.01).sentence
    assert Evidence(1, 0, 0.01).smallest_rate == 1.0
