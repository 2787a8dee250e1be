"""Thresholds as they are asked for: a score, or the false-match rate that the score is to stand for.

In a request they come as ``threshold`` or ``falseMatchRate``, and only a stricter one than the subscription's is taken:
what an app asks for must not open more than its owner allowed. In settings they are a number, ``{"score"}`` or
``{"falseMatchRate"}``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from shared.domain.calibration import Calibration
from shared.domain.errors import ParameterInvalid
from shared.domain.subscription import SubscriptionSettings, Thresholds
from shared.http.api import Call
from shared.http.fields import Json, json_object, kind_of, known_fields, number
from shared.services.ports import SpeakerModel

HIGHEST_RATE: Final = 0.05
"""As far as the mapping was measured (``shared/domain/calibration.py``)."""

SCORE_RULE: Final = "It must be a number between 0 and 1, both excluded."
_SLACK: Final = 1e-9
"""A threshold that went through JSON and back is still the same one."""


def calibration_in_force(model: SpeakerModel, settings: SubscriptionSettings) -> Calibration | None:
    """The subscription's own where it is for this model."""
    site = settings.calibration
    return site.calibration if site is not None and site.model_id == model.model_id else model.calibration


def for_verification(call: Call) -> SubscriptionSettings:
    """The subscription's settings with the request's threshold. Raises ``ParameterInvalid``."""
    return _judged(call, lambda before, score: replace(before, verification=score), "verification")


def for_identification(call: Call) -> SubscriptionSettings:
    return _judged(call, lambda before, score: replace(before, identification=score), "identification")


def as_scores(received: Json, calibration: Callable[[], Calibration | None]) -> Json:
    """Settings as they were sent, each threshold a number. Raises ``FieldUnknown``, ``ParameterInvalid``."""
    return {
        name: _uses(value, calibration) if name.lower() == "thresholds" and isinstance(value, dict) else value
        for name, value in received.items()
    }


def _uses(thresholds: Json, calibration: Callable[[], Calibration | None]) -> Json:
    return {use: _as_score(f"thresholds.{use}", value, calibration) for use, value in thresholds.items()}


def _as_score(name: str, value: object, calibration: Callable[[], Calibration | None]) -> object:
    if not isinstance(value, dict):
        return value
    received = known_fields(json_object(name, value), ("score", "falseMatchRate"), f"{name}.")
    if len(received) != 1:
        raise ParameterInvalid(name, kind_of(value), "It must have either score or falseMatchRate.")
    if "score" in received:
        return number(f"{name}.score", received["score"], SCORE_RULE, lambda score: 0 < score < 1)
    rate = number(f"{name}.falseMatchRate", received["falseMatchRate"], SCORE_RULE, lambda one: 0 < one < 1)
    return _score_at(f"{name}.falseMatchRate", rate, calibration())


def _judged(call: Call, changed: Callable[[Thresholds, float], Thresholds], use: str) -> SubscriptionSettings:
    settings = call.subscription.settings
    name, asked = _asked(call, settings)
    if asked is None:
        return settings
    own: float = getattr(settings.thresholds, use)
    if asked < own - _SLACK:
        rule = f"A request may only be stricter than the subscription, whose threshold for {use} is the score {own:g}."
        raise ParameterInvalid(name, call.parameter(name) or "", f"{rule} This would be the score {asked:.4g}.")
    return replace(settings, thresholds=changed(settings.thresholds, max(asked, own)))


def _asked(call: Call, settings: SubscriptionSettings) -> tuple[str, float | None]:
    score, rate = call.parameter("threshold"), call.parameter("falseMatchRate")
    if score is not None and rate is not None:
        raise ParameterInvalid("falseMatchRate", rate, "Give either threshold or falseMatchRate.")
    if rate is not None:
        calibration = calibration_in_force(call.services.model, settings)
        return "falseMatchRate", _score_at("falseMatchRate", _share("falseMatchRate", rate), calibration)
    return "threshold", None if score is None else _share("threshold", score)


def _share(name: str, received: str) -> float:
    try:
        read = float(received)
    except ValueError:
        read = 0.0
    if not 0.0 < read < 1.0:
        raise ParameterInvalid(name, received, SCORE_RULE)
    return read


def _score_at(name: str, rate: float, calibration: Calibration | None) -> float:
    """Only as far as the calibration's own recordings carry: no claim beyond the rule of 3."""
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
