"""Settings in JSON: every field checked, and refused by name."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.errors import FieldNotYours, FieldUnknown, ParameterInvalid
from shared.domain.limits import QualityLimits
from shared.domain.subscription import RetentionPolicy, SettingsChange, SubscriptionSettings, Thresholds
from shared.http.settings import (
    CUSTOMER_FIELDS,
    customer_change,
    operator_change,
    retention_change,
    shown,
)

VALUES = {
    "bias": -30.0, "cosine": 44.0, "log_shorter": -2.0, "log_longer": -1.0, "threshold_logit": 0.0,
    "false_match_rate": 0.02, "min_seconds": 1.0, "max_seconds": 12.0,
    "fitted_speakers": 60, "fitted_trials": 1_000, "fitted_on": "our calls",
}  # fmt: skip

ALL = {
    "retention": {"maxAgeDays": 30, "maxIdleDays": None},
    "thresholds": {"verification": 0.75, "identification": 0.9},
    "passphrases": {"en-US": ["Open the door, to the GARDEN!"]},
    "maxCandidates": 200,
    "maxProfiles": 1,
    "requireConsent": True,
    "keepIdentificationAudio": False,
    "auditDays": 30.5,
    "requestsPerSecond": 0.5,
    "quality": {"minSnrDb": 12, "minLevelDbfs": -40.5},
    "enrollmentCohesion": False,
    "calibration": {"modelId": "ge2e-1", "values": VALUES},
}

CALIBRATION = Calibration(
    bias=-30.0, cosine=44.0, log_shorter=-2.0, log_longer=-1.0, threshold_logit=0.0, false_match_rate=0.02,
    min_seconds=1.0, max_seconds=12.0, fitted_speakers=60, fitted_trials=1_000,
    fitted_on="our calls",
)  # fmt: skip


def test_every_field_is_read() -> None:
    assert operator_change(ALL).applied(SubscriptionSettings()) == SubscriptionSettings(
        retention=RetentionPolicy(30.0, None),
        thresholds=Thresholds(0.75, 0.9),
        max_candidates=200,
        max_profiles=1,
        passphrases={"en-US": ("open the door to the garden",)},
        require_consent=True,
        keep_identification_audio=False,
        audit_days=30.5,
        requests_per_second=0.5,
        quality=QualityLimits(min_snr_db=12.0, min_level_dbfs=-40.5),
        enrollment_cohesion=False,
        calibration=SiteCalibration("ge2e-1", CALIBRATION),
    )


def test_what_is_shown_can_be_sent_back() -> None:
    settings = operator_change(ALL).applied(SubscriptionSettings())
    assert operator_change(shown(settings)).applied(SubscriptionSettings()) == settings
    assert customer_change(shown(settings, CUSTOMER_FIELDS)).applied(settings) == settings


def test_an_empty_object_changes_nothing() -> None:
    assert operator_change({}) == customer_change({}) == SettingsChange()


def test_null_retention_stops_both_clocks() -> None:
    before = SubscriptionSettings(retention=RetentionPolicy(3.0, 4.0))
    assert customer_change({"retention": None}).applied(before).retention == RetentionPolicy()


def test_null_passphrases_are_the_published_ones() -> None:
    before = SubscriptionSettings(passphrases={"en-US": ("open the door to the garden",)})
    assert customer_change({"passphrases": None}).applied(before).passphrases == {}
    assert customer_change({"passphrases": {"en-US": None}}).applied(before).passphrases == {}


@pytest.mark.parametrize(
    ("received", "named"),
    [
        ({"maxCandidate": 3}, "maxCandidate"),
        ({"retention": {"maxAge": 3}}, "retention.maxAge"),
        ({"thresholds": {"verify": 0.4}}, "thresholds.verify"),
        ({"passphrases": {"de-DE": ["ein Satz mit vielen Worten"]}}, "passphrases.de-DE"),
    ],
)
def test_an_unknown_field_is_refused_by_name(received: dict[str, object], named: str) -> None:
    with pytest.raises(FieldUnknown) as refused:
        operator_change(received)
    assert refused.value.name == named
    assert f'"{named}"' in str(refused.value)


NUMBERS = [0, -1, True, "3", [], {}, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize(
    ("name", "received"),
    [
        *[("retention.maxAgeDays", {"retention": {"maxAgeDays": value}}) for value in [*NUMBERS, 36_500.1]],
        *[("retention.maxIdleDays", {"retention": {"maxIdleDays": value}}) for value in [*NUMBERS, 36_501]],
        *[("thresholds.verification", {"thresholds": {"verification": value}}) for value in [*NUMBERS, 1, None]],
        *[("thresholds.identification", {"thresholds": {"identification": value}}) for value in [*NUMBERS, 1.5]],
        *[("maxCandidates", {"maxCandidates": value}) for value in [*NUMBERS, 201, 2.0, None]],
        *[("maxProfiles", {"maxProfiles": value}) for value in [*NUMBERS, 1_000_001, None]],
        *[("auditDays", {"auditDays": value}) for value in [*NUMBERS, 0.5, 3_651, None]],
        *[("requestsPerSecond", {"requestsPerSecond": value}) for value in [*NUMBERS, 0.05, 100_001]],
        *[("requireConsent", {"requireConsent": value}) for value in [0, 1, "true", None]],
        *[("keepIdentificationAudio", {"keepIdentificationAudio": value}) for value in [0, 1, "false", None]],
        ("retention", {"retention": 30}),
        ("thresholds", {"thresholds": None}),
        ("passphrases", {"passphrases": ["open the door to the garden"]}),
        ("passphrases.en-US", {"passphrases": {"en-US": []}}),
        ("passphrases.en-US", {"passphrases": {"en-US": "open the door to the garden"}}),
        ("passphrases.en-US", {"passphrases": {"en-US": ["open the door to the garden"] * 51}}),
        ("passphrases.en-US[1]", {"passphrases": {"en-US": ["open the door to the garden", "three words only"]}}),
        ("passphrases.en-US[0]", {"passphrases": {"en-US": ["a " * 21]}}),
        ("passphrases.en-US[0]", {"passphrases": {"en-US": ["supercalifragilistic " * 10]}}),
        ("passphrases.en-US[0]", {"passphrases": {"en-US": [7]}}),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, received: dict[str, object]) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        operator_change(received)
    assert refused.value.name == name
    assert len(str(refused.value)) < 300


def test_the_smallest_float_above_zero_is_above_zero_and_the_largest_below_one_is_below_one() -> None:
    change = operator_change({"thresholds": {"verification": 5e-324, "identification": 1 - 2**-53}})
    assert (change.verification_threshold, change.identification_threshold) == (5e-324, 1 - 2**-53)


@pytest.mark.parametrize("name", ["maxCandidates", "maxProfiles", "requireConsent", "keepIdentificationAudio"])
def test_a_customer_cannot_move_its_limits(name: str) -> None:
    with pytest.raises(FieldNotYours) as refused:
        customer_change({"thresholds": {"verification": 0.6}, name: ALL[name]})
    assert str(refused.value).startswith(f"{name} is set by the operator")


def test_the_retention_of_a_profile_alone() -> None:
    assert retention_change({"maxAgeDays": 0.5}).retention(RetentionPolicy(9.0, 8.0)) == RetentionPolicy(0.5, 8.0)
    with pytest.raises(FieldUnknown) as refused:
        retention_change({"retention": {}})
    assert refused.value.name == "retention"


def test_the_same_phrase_twice_is_one() -> None:
    twice = {"passphrases": {"en-US": ["Open the door now", "open the door, now!"]}}
    assert operator_change(twice).passphrases == {"en-US": ("open the door now",)}


def in_case(value: object, random: Random) -> object:
    """The same JSON with each letter of its names in any case."""
    if not isinstance(value, dict):
        return value
    return {
        "".join(random.choice((one.lower(), one.upper())) for one in name): in_case(inner, random)
        for name, inner in value.items()
    }


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_names_come_in_any_case(seed: int) -> None:
    received = in_case(ALL, Random(seed))
    assert isinstance(received, dict)
    assert operator_change(received) == operator_change(ALL)


def test_a_customer_cannot_move_its_limits_in_other_letters() -> None:
    with pytest.raises(FieldNotYours, match="maxCandidates is set by the operator"):
        customer_change({"MAXcandidates": 200})


HUGE = st.one_of(st.integers(min_value=10**300), st.integers(max_value=-(10**300)), st.floats(min_value=1e300))


@settings(deadline=None)
@given(HUGE | st.just(10**400) | st.just(-(10**400)))
def test_a_huge_number_is_refused_wherever_a_number_stands(number: float) -> None:
    values: list[dict[str, object]] = [
        {"retention": {"maxAgeDays": number}},
        {"thresholds": {"verification": number}},
        {"quality": {"minSnrDb": number}},
        {"calibration": {"modelId": "ge2e-1", "values": {**VALUES, "fitted_speakers": number}}},
        {"calibration": {"modelId": "ge2e-1", "values": {**VALUES, "bias": number}}},
        {"maxCandidates": number},
        {"maxProfiles": number},
        {"auditDays": number},
        {"requestsPerSecond": number},
    ]
    for received in values:
        with pytest.raises(ParameterInvalid):
            operator_change(received)
