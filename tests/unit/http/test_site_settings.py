"""A subscription's own limits and calibration in JSON: every value checked, and refused by name."""

from __future__ import annotations

import pytest

from shared.domain.errors import FieldUnknown, ParameterInvalid
from shared.domain.limits import QualityLimits
from shared.domain.subscription import SubscriptionSettings
from shared.http.settings import customer_change
from tests.unit.http.test_settings import VALUES


def settings(body: dict[str, object], before: SubscriptionSettings | None = None) -> SubscriptionSettings:
    return customer_change(body).applied(before or SubscriptionSettings())


def calibrated(**values: object) -> dict[str, object]:
    return {"calibration": {"modelId": "ge2e-1", "values": {**VALUES, **values}}}


def test_limits_are_changed_one_by_one() -> None:
    before = settings({"quality": {"minSnrDb": 12, "minSpeechSeconds": 2}})
    after = settings({"quality": {"minSnrDb": None, "maxClippedPercent": 5}}, before)
    assert after.quality == QualityLimits(min_speech_seconds=2.0, max_clipped_percent=5.0)
    assert settings({"quality": None}, after).quality == QualityLimits()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minSpeechSeconds", 0.4),
        ("minSpeechSeconds", 61),
        ("minSnrDb", 41),
        ("maxClippedPercent", -0.1),
        ("maxClippedPercent", 50.1),
        ("minLevelDbfs", -19),
        ("minBandwidthHz", 7001),
        ("minSnrDb", "12"),
        ("minSnrDb", True),
    ],
)
def test_a_limit_out_of_its_bounds_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        customer_change({"quality": {name: value}})
    assert refused.value.name == f"quality.{name}"


def test_an_unknown_limit_is_refused_by_name() -> None:
    with pytest.raises(FieldUnknown, match=r"quality\.minLoudness"):
        customer_change({"quality": {"minLoudness": 1}})


def test_what_the_laboratory_writes_is_taken_as_it_is() -> None:
    """``calibration.json`` has the rates it was measured at; they stay in its report."""
    site = settings(calibrated(measured=[{"test": "full"}])).calibration
    assert site is not None
    assert (site.model_id, site.calibration.cosine, site.calibration.measured) == ("ge2e-1", 44.0, ())


@pytest.mark.parametrize("name", ["narrow_shift", "telephone_shift"])
def test_what_calibrations_said_of_narrow_channels_is_taken_and_changes_nothing(name: str) -> None:
    assert settings(calibrated(**{name: 0.05})) == settings(calibrated())


def test_null_takes_the_calibration_away() -> None:
    assert settings({"calibration": None}, settings(calibrated())).calibration is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cosine", -44.0),
        ("cosine", 0),
        ("bias", float("nan")),
        ("false_match_rate", 0.6),
        ("false_match_rate", 0),
        ("fitted_speakers", 1),
        ("fitted_on", ""),
        ("fitted_on", "x" * 501),
        ("max_seconds", 0.5),
    ],
)
def test_a_value_that_no_fit_gives_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        customer_change(calibrated(**{name: value}))
    assert refused.value.name == f"calibration.values.{name}"


@pytest.mark.parametrize("name", VALUES)
def test_a_missing_value_is_named(name: str) -> None:
    values = {one: value for one, value in VALUES.items() if one != name}
    with pytest.raises(ParameterInvalid, match=f"calibration.values.{name}"):
        customer_change({"calibration": {"modelId": "ge2e-1", "values": values}})


def test_a_calibration_must_say_whose_it_is() -> None:
    with pytest.raises(ParameterInvalid, match=r"calibration\.modelId"):
        customer_change({"calibration": {"values": VALUES}})


def test_an_unknown_value_is_refused_by_name() -> None:
    with pytest.raises(FieldUnknown, match=r"calibration\.values\.slope"):
        customer_change(calibrated(slope=1))
