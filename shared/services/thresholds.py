"""From which score on a request is answered with Accept: the subscription's threshold, or a stricter one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from shared.domain.calibration import Calibration, FalseMatchRate
from shared.domain.decision import ACCEPT_SCORE
from shared.domain.errors import ParameterInvalid
from shared.domain.explanation import Threshold, ThresholdFrom
from shared.domain.subscription import SubscriptionSettings

_SLACK: Final = 1e-9
"""A threshold that went through JSON and back is still the same."""


@dataclass(frozen=True)
class RequestedThreshold:
    """A request's own threshold, as a score or as the false-match rate that the score is to stand for.

    ``parameter`` and ``received`` are its name and text in the request, for refusals.
    """

    parameter: str
    received: str
    score: float | None = None
    false_match_rate: float | None = None


def threshold_in_force(
    settings: SubscriptionSettings,
    use: Literal["verification", "identification"],
    requested: RequestedThreshold | None,
    calibration: Calibration | None,
) -> Threshold:
    """The score that decides, and whose it is.

    A request may only be stricter than its subscription: an app must not open more than its owner allowed.
    Raises ``ParameterInvalid``.
    """
    own: float = getattr(settings, f"{use}_threshold")
    if requested is None:
        return Threshold(own, ThresholdFrom.DEFAULT if own == ACCEPT_SCORE else ThresholdFrom.SUBSCRIPTION)
    score = requested.score
    if score is None:
        score = FalseMatchRate(requested.parameter, requested.false_match_rate or 0.0).score(calibration)
    if score < own - _SLACK:
        rule = f"A request may only be stricter than the subscription, whose threshold for {use} is the score {own:g}."
        raise ParameterInvalid(requested.parameter, requested.received, f"{rule} This would be the score {score:.4g}.")
    return Threshold(max(score, own), ThresholdFrom.REQUEST)
