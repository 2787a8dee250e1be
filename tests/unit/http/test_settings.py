"""Every setting through the wire, the row and back; each refused by name just outside its bounds."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.domain.calibration import BOUNDS, IGNORED, Calibration, FalseMatchRate, SiteCalibration
from shared.domain.errors import FieldReserved, FieldUnknown, ParameterInvalid
from shared.domain.floors import with_floors
from shared.domain.limits import QUALITY_BOUNDS, QualityLimits
from shared.domain.subscription import SETTINGS, UNSET, Owner, SettingsChange, Subscription, SubscriptionSettings
from shared.http.settings import FIELDS, retention_override, settings_change, settings_shown
from shared.storage.backend.ports import Row
from shared.storage.subscription_records import changed_values, creation_values, subscription_of

OPERATOR, CUSTOMER = Owner.OPERATOR, Owner.CUSTOMER
CALIBRATION: dict[str, object] = {
    "bias": -30.0, "cosine": 44.0, "log_shorter": -2.0, "log_longer": -1.0, "threshold_logit": 0.0,
    "false_match_rate": 0.02, "min_seconds": 1.0, "max_seconds": 12.0,
    "fitted_speakers": 60, "fitted_trials": 1_000, "fitted_on": "our calls",
}  # fmt: skip
PHRASE = "open the door to the garden"
QUALITY = {
    "minSpeechSeconds": "min_speech_seconds", "minSnrDb": "min_snr_db", "maxClippedPercent": "max_clipped_percent",
    "minLevelDbfs": "min_level_dbfs", "minBandwidthHz": "min_bandwidth_hz",
}  # fmt: skip


SHARES = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)
NO_FLOORS = SubscriptionSettings(
    min_verification_threshold=1e-9, min_identification_threshold=1e-9, min_retention_days=0.0
)
DAYS = st.none() | st.floats(0.0, 36_500.0, exclude_min=True)
VALID: dict[str, st.SearchStrategy[Any]] = {
    "retention.maxAgeDays": DAYS,
    "retention.maxIdleDays": DAYS,
    "thresholds.verification": SHARES,
    "thresholds.identification": SHARES,
    "passphrases": st.sampled_from(
        [
            {},
            {"en-US": [PHRASE, "close the window of the kitchen"]},
            {"en-US": "any", "de-DE": "any"},
            {"fr-FR": ["une phrase de quatre mots"], "ja-JP": ["\u3042" * 4], "zh-CN": ["\u4e00" * 60]},
        ]
    ),
    "activationPhrases": st.sampled_from([{}, {"de-DE": ["Ja, ich bin's."], "pt-BR": ["a" * 200] * 50}]),
    "maxCandidates": st.integers(1, 200),
    "maxProfiles": st.integers(1, 1_000_000),
    "requireConsent": st.booleans(),
    "keepIdentificationAudio": st.booleans(),
    "lockSettings": st.booleans(),
    "minThresholds.verification": SHARES,
    "minThresholds.identification": SHARES,
    "minRetentionDays": st.floats(0.0, 36_500.0),
    "auditDays": st.floats(1.0, 3_650.0),
    "requestsPerSecond": st.none() | st.floats(0.1, 100_000.0),
    "quality": st.fixed_dictionaries(
        {}, optional={wire: st.floats(*QUALITY_BOUNDS[field]) for wire, field in QUALITY.items()}
    ),
    "enrollmentCohesion": st.booleans(),
    "recordRecognitions": st.none() | st.fixed_dictionaries({"days": st.floats(1.0, 400.0)}),
    "calibration": st.none() | st.fixed_dictionaries({"modelId": st.just("ge2e-1"), "values": st.just(CALIBRATION)}),
    "requireChallenge": st.booleans(),
    "replay.action": st.sampled_from(["off", "flag", "refuse"]),
    "replay.days": st.floats(1.0, 90.0),
    "details": st.sampled_from(["full", "rounded", "off"]),
}
NO_NUMBERS: list[object] = [True, "3", [], {}, float("nan"), float("inf"), 10**400]
NO_DAYS: list[object] = [*NO_NUMBERS, 0, -1, 36_500.1]
NO_SHARES: list[object] = [True, "3", [], 0, -1, 1, 1.5, 10**400, None, {}, {"score": 0.5, "falseMatchRate": 0.01}]
NO_FLAGS: list[object] = [0, 1, "true", None]
INVALID: dict[str, list[object]] = {
    "retention.maxAgeDays": NO_DAYS,
    "retention.maxIdleDays": NO_DAYS,
    "thresholds.verification": NO_SHARES,
    "thresholds.identification": NO_SHARES,
    "passphrases": [[PHRASE], PHRASE, "any"],
    "activationPhrases": [["Ja, ich bin's."], "any", True],
    "maxCandidates": [*NO_NUMBERS, 0, 201, 2.0, None],
    "maxProfiles": [*NO_NUMBERS, 0, 1_000_001, None],
    "requireConsent": NO_FLAGS,
    "keepIdentificationAudio": NO_FLAGS,
    "lockSettings": NO_FLAGS,
    "minThresholds.verification": NO_SHARES,
    "minThresholds.identification": [*NO_SHARES, {"score": 0.5}],
    "minRetentionDays": [*NO_NUMBERS, -0.1, 36_500.1, None],
    "auditDays": [*NO_NUMBERS, 0.999, 3_650.1, None],
    "requestsPerSecond": [*NO_NUMBERS, 0.099, 100_000.1],
    "quality": [[], 3],
    "enrollmentCohesion": NO_FLAGS,
    "requireChallenge": NO_FLAGS,
    "replay.action": ["warn", "Off", 1, True, None, []],
    "replay.days": [*NO_NUMBERS, 0, 0.99, 90.1, None],
    "recordRecognitions": [30, True, []],
    "calibration": [[], 3],
    "details": ["FULL", "", "none", True, 1, None, [], {}],
}


def body(wire: str, value: object) -> dict[str, object]:
    top, _, inside = wire.partition(".")
    return {top: {inside: value} if inside else value}


def operator(received: dict[str, Any], before: SubscriptionSettings | None = None) -> SubscriptionSettings:
    return settings_change(received, OPERATOR).applied(before or SubscriptionSettings())


def test_each_setting_of_the_table_is_tested_here() -> None:
    assert VALID.keys() == INVALID.keys() == {setting.wire for setting in SETTINGS.values()}


@pytest.mark.parametrize(("field", "wire"), [(field, setting.wire) for field, setting in SETTINGS.items()])
@hypothesis_settings(deadline=None, max_examples=30)
@given(st.data())
def test_a_setting_goes_through_the_wire_and_the_row_and_back(field: str, wire: str, data: st.DataObject) -> None:
    sent = body(wire, data.draw(VALID[wire]))
    change = settings_change(sent, OPERATOR)
    after = change.applied(NO_FLOORS)
    top, _, inside = wire.partition(".")
    shown = settings_shown(after, OPERATOR)[top]
    assert change.named in ((field,), ())
    assert (shown[inside] if inside else shown) == (sent[top][inside] if inside else sent[top])  # type: ignore[index]
    assert operator(settings_shown(after, OPERATOR)) == after
    after = with_floors(after)
    row = Row("partition", "subscription:mine", creation_values(Subscription("mine", settings=after), {}), "etag")
    assert subscription_of(row).settings == after
    back = Row("partition", "subscription:mine", changed_values(row, SubscriptionSettings()), "etag")
    assert subscription_of(back).settings == SubscriptionSettings()


@pytest.mark.parametrize(("wire", "value"), [(wire, value) for wire, values in INVALID.items() for value in values])
def test_a_value_just_outside_is_refused_by_name(wire: str, value: object) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        settings_change(body(wire, value), OPERATOR)
    assert refused.value.name == wire
    assert len(str(refused.value)) < 300


INSIDE: list[tuple[str, dict[str, Any]]] = [
    ("retention", {"retention": 30}),
    ("thresholds", {"thresholds": None}),
    ("thresholds.verification.score", {"thresholds": {"verification": {"score": 1}}}),
    ("thresholds.verification.falseMatchRate", {"thresholds": {"verification": {"falseMatchRate": 0}}}),
    ("passphrases.en-US", {"passphrases": {"en-US": []}}),
    ("passphrases.en-US", {"passphrases": {"en-US": PHRASE}}),
    ("passphrases.en-US", {"passphrases": {"en-US": [PHRASE] * 51}}),
    ("passphrases.en-US[1]", {"passphrases": {"en-US": [PHRASE, "three words only"]}}),
    ("passphrases.en-US[0]", {"passphrases": {"en-US": ["a " * 21]}}),
    ("passphrases.en-US[0]", {"passphrases": {"en-US": ["supercalifragilistic " * 10]}}),
    ("passphrases.en-US[0]", {"passphrases": {"en-US": [7]}}),
    ("passphrases.de-DE", {"passphrases": {"de-DE": "ANY"}}),
    ("passphrases.zh-CN[0]", {"passphrases": {"zh-CN": ["\u4e00" * 3]}}),
    ("passphrases.ja-JP[1]", {"passphrases": {"ja-JP": ["\u3042" * 60, "\u3042" * 61]}}),
    ("activationPhrases.de-DE", {"activationPhrases": {"de-DE": "any"}}),
    ("activationPhrases.de-DE[0]", {"activationPhrases": {"de-DE": [""]}}),
    ("activationPhrases.de-DE[1]", {"activationPhrases": {"de-DE": ["Ja, ich bin's.", "a" * 201]}}),
    *[
        (f"quality.{wire}", {"quality": {wire: value}})
        for wire, field in QUALITY.items()
        for value in (QUALITY_BOUNDS[field][0] - 0.1, QUALITY_BOUNDS[field][1] + 0.1, "12", True, 10**400)
    ],
    *[("recordRecognitions.days", {"recordRecognitions": {"days": days}}) for days in (0, 0.9, 400.1, None, "30")],
    ("recordRecognitions.days", {"recordRecognitions": {}}),
    ("calibration.modelId", {"calibration": {"values": CALIBRATION}}),
    ("calibration.values", {"calibration": {"modelId": "ge2e-1"}}),
    *[
        (f"calibration.values.{name}", {"calibration": {"modelId": "m", "values": {**CALIBRATION, name: value}}})
        for name, (least, most) in BOUNDS.items()
        for value in (least * 1.001 - 0.001 if least < 0 else least * 0.999, most * 1.001, float("nan"), "1")
    ],
    *[
        (f"calibration.values.{name}", {"calibration": {"modelId": "m", "values": {**CALIBRATION, name: value}}})
        for name, value in (("fitted_on", ""), ("fitted_on", "x" * 501), ("max_seconds", 0.5))
    ],
    *[
        (
            f"calibration.values.{name}",
            {"calibration": {"modelId": "m", "values": {key: CALIBRATION[key] for key in CALIBRATION if key != name}}},
        )
        for name in CALIBRATION
    ],
]


@pytest.mark.parametrize(("name", "received"), INSIDE)
def test_a_value_inside_an_object_is_refused_by_its_own_name(name: str, received: dict[str, Any]) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        settings_change(received, OPERATOR)
    assert refused.value.name == name


@pytest.mark.parametrize(
    ("received", "named"),
    [
        ({"maxCandidate": 3}, "maxCandidate"),
        ({"retention": {"maxAge": 3}}, "retention.maxAge"),
        ({"thresholds": {"verify": 0.4}}, "thresholds.verify"),
        ({"thresholds": {"verification": {"rate": 0.4}}}, "thresholds.verification.rate"),
        ({"passphrases": {"de-AT": "any"}}, "passphrases.de-AT"),
        ({"activationPhrases": {"en-US": [PHRASE]}}, "activationPhrases.en-US"),
        ({"quality": {"minLoudness": 1}}, "quality.minLoudness"),
        ({"calibration": {"modelId": "m", "values": {**CALIBRATION, "slope": 1}}}, "calibration.values.slope"),
    ],
)
def test_an_unknown_field_is_refused_by_name(received: dict[str, Any], named: str) -> None:
    with pytest.raises(FieldUnknown) as refused:
        settings_change(received, OPERATOR)
    assert refused.value.name == named
    assert f'"{named}"' in str(refused.value)


@pytest.mark.parametrize("name", [name for name in FIELDS[OPERATOR] if name not in FIELDS[CUSTOMER]])
@pytest.mark.parametrize("letters", [str, str.upper])
def test_a_customer_cannot_change_what_is_the_operators(name: str, letters: Any) -> None:
    with pytest.raises(FieldReserved) as refused:
        settings_change({"thresholds": {"verification": 0.6}, letters(name): 1}, CUSTOMER)
    assert str(refused.value) == (
        f"{name} is set by the operator of the service. You may set retention, thresholds, passphrases, "
        "activationPhrases, quality, enrollmentCohesion, calibration, recordRecognitions, requireChallenge, "
        "replay, details."
    )


def test_null_gives_each_part_back() -> None:
    before = SubscriptionSettings(
        max_age_days=3.0, max_idle_days=4.0, passphrases={"en-US": (PHRASE,)}, quality=QualityLimits(min_snr_db=12.0),
        recognition_days=30.0, activation_phrases={"de-DE": ("Ja, ich bin's.",)},
        calibration=SiteCalibration("m", Calibration(**CALIBRATION)),  # type: ignore[arg-type]
    )  # fmt: skip
    nulls = dict.fromkeys(
        ("retention", "passphrases", "activationPhrases", "quality", "calibration", "recordRecognitions")
    )
    assert settings_change(nulls, CUSTOMER).applied(before) == SubscriptionSettings()
    assert operator({"passphrases": {"en-US": None}}, before).passphrases == {}


def test_limits_are_changed_one_by_one() -> None:
    before = operator({"quality": {"minSnrDb": 12, "minSpeechSeconds": 2}})
    after = operator({"quality": {"minSnrDb": None, "maxClippedPercent": 5}}, before)
    assert after.quality == QualityLimits(min_speech_seconds=2.0, max_clipped_percent=5.0)


def test_phrases_are_normalised_and_the_same_twice_is_one() -> None:
    twice = {"passphrases": {"en-US": ["Open the door now", "open the DOOR, now!"]}}
    assert operator(twice).passphrases == {"en-US": ("open the door now",)}


def test_where_no_spaces_part_words_a_phrase_has_none() -> None:
    chinese = {"passphrases": {"zh-CN": ["\u6211\u5bb6 \u95e8\u524d\u3002", "\u6211\u5bb6\u95e8\u524d"]}}
    assert operator(chinese).passphrases == {"zh-CN": ("\u6211\u5bb6\u95e8\u524d",)}


@pytest.mark.parametrize("name", IGNORED)
def test_what_a_calibration_holds_besides_is_taken_and_changes_nothing(name: str) -> None:
    plain = operator({"calibration": {"modelId": "m", "values": CALIBRATION}})
    assert operator({"calibration": {"modelId": "m", "values": {**CALIBRATION, name: [0.05]}}}) == plain


def test_a_threshold_may_be_a_score_or_a_rate_in_an_object() -> None:
    change = settings_change(
        {"thresholds": {"verification": {"score": 0.7}, "identification": {"falseMatchRate": 0.01}}}, CUSTOMER
    )
    rate = FalseMatchRate("thresholds.identification.falseMatchRate", 0.01)
    assert change == SettingsChange(verification_threshold=0.7, identification_threshold=rate)


def test_the_retention_of_one_profile() -> None:
    override = retention_override({"MaxAgeDays": 0.5}, 0.5)
    assert (override.max_age_days, override.max_idle_days) == (0.5, UNSET)
    with pytest.raises(FieldUnknown, match='"retention"'):
        retention_override({"retention": {}}, 0.5)
    with pytest.raises(
        ParameterInvalid, match=r"Invalid maxIdleDays .* The operator's minimum is 0\.5\. Received \"0\.4\""
    ):
        retention_override({"maxAgeDays": None, "maxIdleDays": 0.4}, 0.5)


@hypothesis_settings(deadline=None)
@given(st.integers(0, 2**32))
def test_names_come_in_any_case(seed: int) -> None:
    sent = settings_shown(operator({"quality": {"minSnrDb": 3}, "thresholds": {"verification": 0.7}}), OPERATOR)
    received = _in_any_case(sent, Random(seed))
    assert settings_change(received, OPERATOR) == settings_change(sent, OPERATOR)


def _in_any_case(value: Any, random: Random) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        "".join(random.choice((one.lower(), one.upper())) for one in name): _in_any_case(inner, random)
        for name, inner in value.items()
    }
