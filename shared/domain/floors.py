"""What no setting of a customer gets under: minimal thresholds and retention, and what a calibration lets pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from shared.domain.calibration import HIGHEST_RATE, Calibration, SiteCalibration
from shared.domain.errors import ParameterInvalid
from shared.domain.subscription import SETTINGS, SettingsChange, SubscriptionSettings

FLOORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "max_age_days": "min_retention_days",
        "max_idle_days": "min_retention_days",
        "verification_threshold": "min_verification_threshold",
        "identification_threshold": "min_identification_threshold",
    }
)
"""Each setting with the one that is its floor."""

_THRESHOLDS: Final = ("verification_threshold", "identification_threshold")
_SLACK: Final = 1.0 + 1e-9
"""A rate that went through a score and back is still the same."""


def with_floors(settings: SubscriptionSettings) -> SubscriptionSettings:
    """As they count: what was stored below its floor counts as the floor."""
    stored = {name: getattr(settings, name) for name in FLOORS}
    return replace(
        settings,
        **{name: max(value, getattr(settings, FLOORS[name])) for name, value in stored.items() if value is not None},
    )


def require_floor(wire: str, value: float | None, floor: float) -> None:
    """``None`` is without end. Raises ``ParameterInvalid``."""
    if value is not None and value < floor:
        raise ParameterInvalid(wire, f"{value:g}", f"The operator's minimum is {floor:g}.")


def require_floors(
    change: SettingsChange, after: SubscriptionSettings, calibrations: Mapping[str, Calibration]
) -> None:
    """``after`` are the settings with the change, its thresholds as scores; ``calibrations`` the models' own by id.

    Raises ``ParameterInvalid``.
    """
    for name in FLOORS:
        if name in change.named:
            require_floor(SETTINGS[name].wire, getattr(after, name), getattr(after, FLOORS[name]))
    if after.calibration is not None and {"calibration", *_THRESHOLDS} & set(change.named):
        _require_rates(after.calibration, after, calibrations)


def _require_rates(
    site: SiteCalibration, settings: SubscriptionSettings, calibrations: Mapping[str, Calibration]
) -> None:
    """Whoever fits a calibration also says how good it is. So the model's own figures are held against it as well."""
    own, model = site.calibration, calibrations.get(site.model_id)
    for name in _THRESHOLDS:
        threshold = getattr(settings, name)
        rate = max(own.rate_at(threshold), own.rate_by(model, threshold) if model else 0.0)
        if rate > HIGHEST_RATE * _SLACK:
            rule = (
                f"At the score {threshold:g} of {SETTINGS[name].wire}, a share of {rate:.2g} of strangers would pass "
                f"by its own figures or the model's; at most {HIGHEST_RATE:g} may."
            )
            raise ParameterInvalid("calibration", site.model_id, rule)
