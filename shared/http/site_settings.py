"""The settings by which a subscription judges recordings and scores its own way, in JSON.

A calibration has the form of ``calibration.json`` that ``python -m tools.calibrate`` writes, under ``values``, beside
the id of the model that it was made for. What it was measured at stays in the laboratory's report.
"""

from __future__ import annotations

import math
from typing import Final

from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.errors import ParameterInvalid
from shared.domain.limits import QUALITY_BOUNDS, QualityLimits
from shared.http.fields import json_object, kind_of, known_fields, number

LIMITS: Final = {
    "minSpeechSeconds": "min_speech_seconds",
    "minSnrDb": "min_snr_db",
    "maxClippedPercent": "max_clipped_percent",
    "minLevelDbfs": "min_level_dbfs",
    "minBandwidthHz": "min_bandwidth_hz",
}

NUMBERS: Final = {
    "bias": (-1_000.0, 1_000.0),
    "cosine": (1.0, 1_000.0),
    "log_shorter": (-100.0, 100.0),
    "log_longer": (-100.0, 100.0),
    "threshold_logit": (-100.0, 100.0),
    "false_match_rate": (1e-6, 0.5),
    "min_seconds": (0.1, 60.0),
    "max_seconds": (0.1, 3_600.0),
}
"""From where to where. A model whose scores fall with the cosine, or hardly rise, is a mistake."""

COUNTS: Final = {"fitted_speakers": (2, 10_000_000), "fitted_trials": (1, 10**12)}
TEXTS: Final = {"fitted_on": 500}
IGNORED: Final = ("measured", "narrow_shift", "telephone_shift")
"""What calibrations hold beside that; the shifts in those that were fitted up to 2026-11."""


def quality(name: str, value: object) -> dict[str, object]:
    """Raises ``FieldUnknown``, ``ParameterInvalid``."""
    if value is None:
        return {"quality": dict.fromkeys(LIMITS.values())}
    received = known_fields(json_object(name, value), LIMITS, f"{name}.")
    return {"quality": {LIMITS[one]: _limit(f"{name}.{one}", LIMITS[one], limit) for one, limit in received.items()}}


def quality_shown(limits: QualityLimits) -> dict[str, object]:
    """Those that are the subscription's own."""
    return {name: getattr(limits, field) for name, field in LIMITS.items() if getattr(limits, field) is not None}


def calibration(name: str, value: object) -> dict[str, object]:
    """Raises ``FieldUnknown``, ``ParameterInvalid``."""
    if value is None:
        return {"calibration": None}
    received = known_fields(json_object(name, value), ("modelId", "values"), f"{name}.")
    model_id = _text(f"{name}.modelId", received.get("modelId"), 100)
    values = json_object(f"{name}.values", received.get("values"))
    return {"calibration": SiteCalibration(model_id, _calibration(f"{name}.values.", values))}


def calibration_shown(site: SiteCalibration | None) -> dict[str, object] | None:
    if site is None:
        return None
    names = (*NUMBERS, *COUNTS, *TEXTS)
    return {"modelId": site.model_id, "values": {name: getattr(site.calibration, name) for name in names}}


def _calibration(prefix: str, values: object) -> Calibration:
    received = known_fields(json_object(prefix, values), (*NUMBERS, *COUNTS, *TEXTS, *IGNORED), prefix)
    for name in (*NUMBERS, *COUNTS, *TEXTS):
        if name not in received:
            raise ParameterInvalid(f"{prefix}{name}", "nothing", "It is part of every calibration.")
    read = {name: _within(f"{prefix}{name}", received[name], *NUMBERS[name]) for name in NUMBERS}
    if read["max_seconds"] < read["min_seconds"]:
        raise ParameterInvalid(f"{prefix}max_seconds", str(read["max_seconds"]), "It must not be below min_seconds.")
    counts = {name: int(_within(f"{prefix}{name}", received[name], *COUNTS[name])) for name in COUNTS}
    text = _text(f"{prefix}fitted_on", received["fitted_on"], TEXTS["fitted_on"])
    return Calibration(**read, **counts, fitted_on=text)  # type: ignore[arg-type]


def _limit(name: str, field: str, value: object) -> float | None:
    return None if value is None else _within(name, value, *QUALITY_BOUNDS[field])


def _within(name: str, value: object, least: float, most: float) -> float:
    rule = f"It must be a number from {least:g} to {most:g}."
    return number(name, value, rule, lambda one: math.isfinite(one) and least <= one <= most)


def _text(name: str, value: object, longest: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise ParameterInvalid(name, kind_of(value), f"It must be a text of 1 to {longest} characters.")
    return value
