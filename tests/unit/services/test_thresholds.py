"""A request's threshold may only be stricter than its subscription's."""

from __future__ import annotations

import math

import pytest

from shared.domain.calibration import Calibration, FalseMatchRate
from shared.domain.errors import ParameterInvalid
from shared.domain.subscription import SubscriptionSettings
from shared.services.thresholds import RequestedThreshold, threshold_in_force
from tests.unit.services.spoken import TIV, World

SETTINGS = SubscriptionSettings(verification_threshold=0.6, identification_threshold=0.7)
CALIBRATION = Calibration(-10.0, 20.0, 0.0, 0.0, 0.0, 0.01, 1.0, 12.0, "our calls", 60, 1_000)
"""30 speakers of a half: 870 pairs, which carry rates from 3 / 870."""


def score(value: float) -> RequestedThreshold:
    return RequestedThreshold("threshold", str(value), score=value)


def rate(value: float) -> RequestedThreshold:
    return RequestedThreshold("falseMatchRate", str(value), false_match_rate=value)


@pytest.mark.parametrize(
    ("settings", "requested", "expected", "origin"),
    [
        (SubscriptionSettings(), None, 0.5, "default"),
        (SETTINGS, None, 0.6, "subscription"),
        (SETTINGS, score(0.6), 0.6, "request"),
        (SETTINGS, score(0.6 - 1e-12), 0.6, "request"),
        (SETTINGS, score(0.9), 0.9, "request"),
        (SETTINGS, rate(0.004), 1.0 / (1.0 + math.exp(-math.log(0.01 / 0.004) / 0.75)), "request"),
    ],
)
def test_a_stricter_threshold_counts(
    settings: SubscriptionSettings, requested: RequestedThreshold | None, expected: float, origin: str
) -> None:
    threshold = threshold_in_force(settings, "verification", requested, CALIBRATION)
    assert threshold.score == pytest.approx(expected, abs=1e-12)
    assert threshold.origin.value == origin


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        (score(0.65), r'Invalid threshold .* only be stricter .* score 0\.7\. .* score 0\.65\. Received "0\.65"'),
        (rate(0.01), r"Invalid falseMatchRate .* for identification is .* 0\.7\. This would be the score 0\.5\."),
        (rate(0.003), r"60 speakers, which carries rates from 0\.0034 to 0\.05"),
        (rate(0.06), r"rates from 0\.0034 to 0\.05; beyond that give a score"),
    ],
)
def test_a_laxer_threshold_or_a_rate_that_is_not_carried_is_refused(
    requested: RequestedThreshold, message: str
) -> None:
    with pytest.raises(ParameterInvalid, match=message):
        threshold_in_force(SETTINGS, "identification", requested, CALIBRATION)


def test_a_rate_means_nothing_to_a_model_without_a_calibration() -> None:
    with pytest.raises(ParameterInvalid, match="no calibration: give a score instead"):
        FalseMatchRate("falseMatchRate", 0.01).score(None)


def test_verify_and_identify_go_by_the_threshold_of_the_request(world: World) -> None:
    speaker, key = world.enrolled(voice=45).profile_id, world.enrolled(TIV, voice=45)
    for threshold, accepted in ((score(0.7), True), (score(0.72), False)):
        assert world.verify(key, threshold=threshold).decision.accepted is accepted
        assert (world.identify([speaker], threshold=threshold).identified is not None) is accepted
