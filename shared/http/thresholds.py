"""Thresholds as they are asked for: a score, or the false-match rate that the score is to stand for.

In a request they come as ``threshold`` or ``falseMatchRate``, and only a stricter one than the subscription's is taken:
what an app asks for must not open more than its owner allowed.
"""

from __future__ import annotations

from typing import Final

from shared.domain.calibration import FalseMatchRate, calibration_in_force
from shared.domain.errors import ParameterInvalid
from shared.domain.setting_types import SHARE_RULE
from shared.domain.subscription import SettingsChange, SubscriptionSettings
from shared.http.api import Call

_SLACK: Final = 1e-9
"""A threshold that went through JSON and back is still the same one."""


def for_verification(call: Call) -> SubscriptionSettings:
    """The subscription's settings with the request's threshold. Raises ``ParameterInvalid``."""
    return _judged(call, "verification")


def for_identification(call: Call) -> SubscriptionSettings:
    return _judged(call, "identification")


def _judged(call: Call, use: str) -> SubscriptionSettings:
    settings = call.subscription.settings
    name, asked = _asked(call, settings)
    if asked is None:
        return settings
    own: float = getattr(settings, f"{use}_threshold")
    if asked < own - _SLACK:
        rule = f"A request may only be stricter than the subscription, whose threshold for {use} is the score {own:g}."
        raise ParameterInvalid(name, call.parameter(name) or "", f"{rule} This would be the score {asked:.4g}.")
    decided = SettingsChange(**{f"{use}_threshold": max(asked, own)})
    return decided.applied(settings)


def _asked(call: Call, settings: SubscriptionSettings) -> tuple[str, float | None]:
    score, rate = call.parameter("threshold"), call.parameter("falseMatchRate")
    if score is not None and rate is not None:
        raise ParameterInvalid("falseMatchRate", rate, "Give either threshold or falseMatchRate.")
    if rate is not None:
        model = call.services.model
        calibration = calibration_in_force(settings.calibration, model.model_id, model.calibration)
        share = FalseMatchRate("falseMatchRate", _share("falseMatchRate", rate))
        return "falseMatchRate", share.score(calibration)
    return "threshold", None if score is None else _share("threshold", score)


def _share(name: str, received: str) -> float:
    try:
        read = float(received)
    except ValueError:
        read = 0.0
    if not 0.0 < read < 1.0:
        raise ParameterInvalid(name, received, SHARE_RULE)
    return read
