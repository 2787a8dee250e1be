"""Thresholds per request, as a score or as a false-match rate: stricter than the subscription's, and never laxer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.api.client import NOBODY, Answer, Client, identified, verify
from tests.api.later import Speakers
from tests.api.operator import Customer, Operator
from tests.voices import PASSPORT, QUESTION, recording, takes

STRICT = "&threshold=0.9999999"


def test_a_stricter_request_refuses_what_the_subscription_accepts(api: Client, by_passport: str) -> None:
    accepted = verify(api, by_passport, recording(PASSPORT)).json
    assert accepted["result"] == "Accept"
    strict = verify(api, by_passport, recording(PASSPORT), "&threshold=0.999999").json
    assert (strict["result"], strict["score"]) == ("Reject", accepted["score"])
    scores = [
        verify(api, by_passport, recording(PASSPORT), f"&falseMatchRate={rate}").json["score"] for rate in (0.008, 0.01)
    ]
    assert scores[0] == scores[1] == accepted["score"], "a false-match rate moves the threshold"


@pytest.fixture(scope="module")
def ask(operator: Operator) -> Callable[[str], Answer]:
    """Verify an enrolled speaker of a subscription whose threshold is 0.7, with these parameters behind the id."""
    customer = operator.customer(thresholds={"verification": 0.7})
    profile_id = customer.verification.enrolled(*takes(PASSPORT))
    return lambda query: verify(customer.primary, profile_id, recording(PASSPORT), query)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("&threshold=0.69", "whose threshold for verification is the score 0.7. This would be the score 0.69"),
        ("&falseMatchRate=0.01", "whose threshold for verification is the score 0.7. This would be the score 0.5."),
        ("&threshold=1", "between 0 and 1"),
        ("&threshold=nan", "between 0 and 1"),
        ("&threshold=high", "between 0 and 1"),
        ("&falseMatchRate=0.001", "fitted on 40 speakers, which carries rates from 0.0079 to 0.05"),
        ("&falseMatchRate=0.06", "rates from 0.0079 to 0.05"),
        ("&threshold=0.9&falseMatchRate=0.008", "either threshold or falseMatchRate"),
    ],
)
def test_what_is_laxer_or_beyond_the_data_is_refused(ask: Callable[[str], Answer], query: str, reason: str) -> None:
    status, code, message = ask(query).error
    assert (status, code) == (400, "BadRequest")
    assert reason in message


def test_an_identification_may_be_stricter_too(api: Client, voices: Mapping[str, str]) -> None:
    for query, expected in (("", voices["slt"]), (STRICT, NOBODY)):
        assert identified(api, [voices["slt"]], recording(QUESTION), f"&shortAudio=true{query}") == expected


def test_the_later_generations_take_the_same_parameters(to_identify: Speakers, voices: Mapping[str, str]) -> None:
    for query, expected in (("", voices["slt"]), (STRICT, NOBODY)):
        answer = to_identify.identify(voices["slt"], recording(QUESTION), f"&ignoreMinLength=true{query}")
        assert answer.json["identifiedProfile"]["profileId"] == expected
    laxer = to_identify.identify(voices["slt"], recording(QUESTION), "&ignoreMinLength=true&threshold=0.1")
    assert laxer.error[:2] == (400, "InvalidArgument")


def test_a_subscriptions_threshold_may_be_a_false_match_rate(customer: Customer) -> None:
    body = {"thresholds": {"verification": {"falseMatchRate": 0.008}, "identification": {"score": 0.6}}}
    answer = customer.settings(body)
    assert answer.status == 200
    assert answer.json["thresholds"] == {"verification": pytest.approx(0.5739, abs=1e-4), "identification": 0.6}


def test_a_site_calibration_scores_this_subscription_alone(customer: Customer, api: Client, by_passport: str) -> None:
    """One by which hardly a cosine is enough: what was accepted is refused, and another model's changes nothing."""
    values = {
        "bias": -399.0, "cosine": 400.0, "log_shorter": 0.0, "log_longer": 0.0, "threshold_logit": 0.0,
        "false_match_rate": 0.01, "min_seconds": 1.0, "max_seconds": 12.0, "fitted_speakers": 100,
        "fitted_trials": 5_000, "fitted_on": "a test",
    }  # fmt: skip
    profile_id = customer.verification.enrolled(*takes(PASSPORT))

    def score(calibration: object) -> float:
        answer = customer.settings({"calibration": calibration})
        assert answer.status == 200, answer.body
        return float(verify(customer.primary, profile_id, recording(PASSPORT)).json["score"])

    assert score({"modelId": "campplus-channels-1", "values": values}) < 0.5
    assert verify(api, by_passport, recording(PASSPORT)).json["result"] == "Accept"
    assert score({"modelId": "other-1", "values": values}) == score(None) > 0.5


def test_limits_of_a_subscription_are_in_effect_with_the_measured_value(customer: Customer) -> None:
    customer.settings({"quality": {"minSpeechSeconds": 30}})
    profiles = customer.verification
    status, code, message = profiles.enroll(profiles.create(), recording(PASSPORT)).error
    assert (status, code) == (400, "BadRequest")
    assert "Minimum allowed speech length is 30 second(s). The recording has 2." in message
    customer.settings({"quality": None})
    assert profiles.enroll(profiles.create(), recording(PASSPORT)).status == 200
