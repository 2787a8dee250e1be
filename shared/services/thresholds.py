"""From which score on a request is answered with Accept: the subscription's threshold, or a stricter one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from shared.domain.calibration import Calibration
from shared.domain.errors import ParameterInvalid
from shared.domain.subscription import SubscriptionSettings

HIGHEST_RATE: Final = 0.05
"""As far as the mapping was measured (``shared/domain/calibration.py``)."""

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
) -> float:
    """The score in (0, 1) that decides.

    A request may only be stricter than its subscription: an app must not open more than its owner allowed.
    Raises ``ParameterInvalid``.
    """
    own: float = getattr(settings.thresholds, use)
    if requested is None:
        return own
    score = requested.score
    if score is None:
        score = score_at_rate(requested.parameter, requested.false_match_rate or 0.0, calibration)
    if score < own - _SLACK:
        rule = f"A request may only be stricter than the subscription, whose threshold for {use} is the score {own:g}."
        raise ParameterInvalid(requested.parameter, requested.received, f"{rule} This would be the score {score:.4g}.")
    return max(score, own)


def score_at_rate(name: str, rate: float, calibration: Calibration | None) -> float:
    """The score that stands for a false-match rate, as far as the calibration's own recordings carry (rule of 3).

    ``name`` is the parameter, for refusals. Raises ``ParameterInvalid``.
    """
    if calibration is None:
        raise ParameterInvalid(name, f"{rate:g}", "The speaker model has no calibration: give a score instead.")
    least = calibration.smallest_rate
    if not least <= rate <= HIGHEST_RATE:
        rule = (
            f"The calibration was fitted on {calibration.fitted_speakers:,} speakers, which carries rates from "
            f"{least:.2g} to {HIGHEST_RATE:g}; beyond that give a score."
        )
        raise ParameterInvalid(name, f"{rate:g}", rule)
    return calibration.score_at(rate)
