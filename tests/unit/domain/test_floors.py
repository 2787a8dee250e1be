"""What no setting of a customer gets under."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calibration import Calibration, FalseMatchRate, SiteCalibration
from shared.domain.errors import ParameterInvalid
from shared.domain.floors import require_floors, with_floors
from shared.domain.subscription import SettingsChange, SubscriptionSettings
from shared.inference.calibration import scores

MODEL = Calibration(-11.8, 23.6, -1.1, -0.4, 0.0, 0.01, 1.0, 12.0, "a model", 40, 1_000)
LAX = replace(MODEL, bias=MODEL.bias + 2.3)
"""What the model gives 0.5 gets 0.91: at 0.5 the model's own figures say 5.6 %."""


def changed(values: Mapping[str, object], before: SubscriptionSettings | None = None) -> SubscriptionSettings:
    change = SettingsChange(**values)
    after = change.applied(before or SubscriptionSettings())
    require_floors(change, after, {"a-1": MODEL})
    return after


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"verification_threshold": 0.0499}, "thresholds.verification"),
        ({"verification_threshold": 1e-320}, "thresholds.verification"),
        ({"identification_threshold": 0.3, "min_identification_threshold": 0.31}, "thresholds.identification"),
        ({"max_age_days": 0.0416}, "retention.maxAgeDays"),
        ({"max_idle_days": 1e-9}, "retention.maxIdleDays"),
        ({"calibration": SiteCalibration("a-1", LAX)}, "calibration"),
        ({"calibration": SiteCalibration("a-1", replace(MODEL, bias=1_000.0))}, "calibration"),
        ({"calibration": SiteCalibration("a-1", replace(MODEL, log_shorter=1.0, bias=-11.8))}, "calibration"),
        ({"calibration": SiteCalibration("unknown-1", replace(MODEL, false_match_rate=0.06))}, "calibration"),
        ({"calibration": SiteCalibration("a-1", MODEL), "verification_threshold": 0.104}, "calibration"),
    ],
)
def test_what_is_below_its_floor_is_refused_by_name(change: Mapping[str, object], named: str) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        changed(change)
    assert refused.value.name == named


@pytest.mark.parametrize(
    "change",
    [
        {"verification_threshold": 0.05, "identification_threshold": 0.05},
        {"max_age_days": 1 / 24, "max_idle_days": None},
        {"verification_threshold": 1e-9, "min_verification_threshold": 1e-9},
        {"max_idle_days": 1e-9, "min_retention_days": 0.0},
        {"min_verification_threshold": 0.9, "min_retention_days": 30.0},
        {"calibration": SiteCalibration("a-1", MODEL), "verification_threshold": MODEL.score_at(0.05)},
        {"calibration": SiteCalibration("a-1", LAX), "verification_threshold": 0.6, "identification_threshold": 0.6},
        {"calibration": SiteCalibration("unknown-1", LAX)},
        {"calibration": None},
    ],
)
def test_what_is_at_its_floor_or_moves_it_is_taken(change: Mapping[str, object]) -> None:
    changed(change)


def test_a_threshold_cannot_be_lowered_under_a_calibration_of_ones_own() -> None:
    before = changed({"calibration": SiteCalibration("a-1", MODEL)})
    rule = r"At the score 0\.1 of thresholds\.verification, a share of 0\.052 of strangers .* at most 0\.05 may"
    with pytest.raises(ParameterInvalid, match=rule):
        changed({"verification_threshold": 0.1}, before)
    assert changed({"max_candidates": 3}, replace(before, verification_threshold=0.06)), "other settings can be changed"


def test_what_was_stored_below_its_floor_counts_as_the_floor() -> None:
    stored = SubscriptionSettings(1e-9, None, 1e-320, 0.9, min_identification_threshold=0.8, min_retention_days=2.0)
    counting = with_floors(stored)
    assert counting == replace(stored, max_age_days=2.0, verification_threshold=0.05)


SHIPPED = st.builds(
    Calibration,
    bias=st.floats(-40, 10), cosine=st.floats(1, 60), log_shorter=st.floats(-3, 3), log_longer=st.floats(-3, 3),
    threshold_logit=st.floats(-3, 3), false_match_rate=st.floats(1e-4, 0.5), min_seconds=st.floats(0.1, 3),
    max_seconds=st.floats(4, 60), fitted_on=st.just("x"), fitted_speakers=st.just(40), fitted_trials=st.just(1_000),
)  # fmt: skip


@given(SHIPPED, SHIPPED, st.floats(0.01, 0.99))
def test_no_length_of_speech_lets_more_strangers_pass(own: Calibration, model: Calibration, score: float) -> None:
    """The rate by the model's figures, against the scores that both give to the same cosines."""
    highest = own.rate_by(model, score)
    for seconds, other in product((0.05, 1.0, 2.5, 10.0, 100.0), repeat=2):
        shorter, longer = sorted(min(max(s, own.min_seconds), own.max_seconds) for s in (seconds, other))
        offset = own.bias + own.log_shorter * math.log(shorter) + own.log_longer * math.log(longer)
        cosine = (math.log(score / (1 - score)) + own.threshold_logit - offset) / own.cosine
        (given_score,) = scores(model, np.array([cosine]), seconds, np.array([other]))
        if 1e-6 < given_score < 1 - 1e-6:
            assert model.rate_at(float(given_score)) <= highest * (1 + 1e-6)


def test_a_rate_is_that_of_its_score() -> None:
    rate = FalseMatchRate("x", 0.008).score(MODEL)
    assert MODEL.rate_at(rate) == pytest.approx(0.008)
    assert MODEL.rate_by(MODEL, 0.5) == pytest.approx(0.01)
