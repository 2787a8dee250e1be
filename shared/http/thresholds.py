"""Thresholds in settings: a number, ``{"score"}`` or ``{"falseMatchRate"}``, which becomes the score it stands for."""

from __future__ import annotations

from typing import Final

from shared.domain.calibration import Calibration
from shared.domain.errors import ParameterInvalid
from shared.http.fields import Json, json_object, kind_of, known_fields, number
from shared.services.thresholds import score_at_rate

SCORE_RULE: Final = "It must be a number between 0 and 1, both excluded."


def as_scores(received: Json, calibration: Calibration | None) -> Json:
    """Settings as they were sent, each threshold a number. Raises ``FieldUnknown``, ``ParameterInvalid``."""
    return {
        name: _uses(value, calibration) if name.lower() == "thresholds" and isinstance(value, dict) else value
        for name, value in received.items()
    }


def _uses(thresholds: Json, calibration: Calibration | None) -> Json:
    return {use: _as_score(f"thresholds.{use}", value, calibration) for use, value in thresholds.items()}


def _as_score(name: str, value: object, calibration: Calibration | None) -> object:
    if not isinstance(value, dict):
        return value
    received = known_fields(json_object(name, value), ("score", "falseMatchRate"), f"{name}.")
    if len(received) != 1:
        raise ParameterInvalid(name, kind_of(value), "It must have either score or falseMatchRate.")
    if "score" in received:
        return number(f"{name}.score", received["score"], SCORE_RULE, lambda score: 0 < score < 1)
    rate = number(f"{name}.falseMatchRate", received["falseMatchRate"], SCORE_RULE, lambda rate: 0 < rate < 1)
    return score_at_rate(f"{name}.falseMatchRate", rate, calibration)
