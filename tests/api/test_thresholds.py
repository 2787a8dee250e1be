"""Thresholds per request, as a score or as a false-match rate: stricter than the subscription's, and never laxer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.api.client import Answer, Profiles, identify
from tests.api.operator import Customer, Operator
from tests.voices import PASSPORT, QUESTION, STORY, recording, takes

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def customer(operator: Operator) -> Customer:
    return operator.customer()


@pytest.fixture
def ask(customer: Customer) -> Callable[[str], Answer]:
    """Verify an enrolled speaker with these parameters behind the profile's id."""
    profiles = Profiles(customer.primary, "verification")
    profile_id = profiles.enrolled(*takes(PASSPORT))
    audio = recording(PASSPORT)
    return lambda query: customer.primary.post(f"/verify?verificationProfileId={profile_id}{query}", audio)


def test_a_stricter_request_refuses_what_the_subscription_accepts(ask: Callable[[str], Answer]) -> None:
    accepted = ask("").json
    assert accepted["result"] == "Accept"
    strict = ask("&threshold=0.999999").json
    assert (strict["result"], strict["score"]) == ("Reject", accepted["score"])


def test_a_false_match_rate_moves_the_threshold(ask: Callable[[str], Answer]) -> None:
    assert ask("&falseMatchRate=0.008").json["score"] == ask("&falseMatchRate=0.01").json["score"]


@pytest.mark.parametrize(
    ("query", "said_so"),
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
def test_what_is_laxer_or_beyond_the_data_is_refused(
    customer: Customer, ask: Callable[[str], Answer], query: str, said_so: str
) -> None:
    customer.settings({"thresholds": {"verification": 0.7}})
    status, code, message = ask(query).error
    assert (status, code) == (400, "BadRequest")
    assert said_so in message


def test_an_identification_may_be_stricter_too(customer: Customer) -> None:
    client = customer.primary
    profile_id = Profiles(client, "identification").enrolled(recording(STORY), query="?shortAudio=true")
    found = identify(client, [profile_id], recording(QUESTION))
    assert found["processingResult"]["identifiedProfileId"] == profile_id
    found = identify(client, [profile_id], recording(QUESTION), "&shortAudio=true&threshold=0.9999999")
    assert found["processingResult"]["identifiedProfileId"] == NOBODY


@pytest.mark.parametrize(
    ("generation", "where"),
    [
        ("/speaker/identification/v2.0/text-independent/profiles/identifySingleSpeaker", "profileIds"),
        ("/speaker-recognition/identification/text-independent/profiles:identifySingleSpeaker", "profileIds"),
    ],
)
def test_the_later_generations_take_the_same_parameters(customer: Customer, generation: str, where: str) -> None:
    client = customer.primary
    profile_id = Profiles(client, "identification").enrolled(recording(STORY), query="?shortAudio=true")
    query = f"{generation}?{where}={profile_id}&ignoreMinLength=true"
    assert client.call("POST", query, recording(QUESTION)).json["identifiedProfile"]["profileId"] == profile_id
    strict = client.call("POST", f"{query}&threshold=0.9999999", recording(QUESTION))
    assert strict.json["identifiedProfile"]["profileId"] == NOBODY
    laxer = client.call("POST", f"{query}&threshold=0.1", recording(QUESTION))
    assert (laxer.status, laxer.json["error"]["code"]) == (400, "InvalidArgument")


def test_a_subscriptions_threshold_may_be_a_false_match_rate(customer: Customer) -> None:
    body = {"thresholds": {"verification": {"falseMatchRate": 0.008}, "identification": {"score": 0.6}}}
    answer = customer.primary.call("PATCH", "/settings", json.dumps(body).encode())
    assert answer.status == 200
    assert answer.json["thresholds"] == {"verification": pytest.approx(0.5739, abs=1e-4), "identification": 0.6}


def test_a_site_calibration_scores_this_subscription_alone(operator: Operator) -> None:
    """One by which hardly a cosine is enough: what was accepted is refused, and another model's changes nothing."""
    values = {
        "bias": -399.0, "cosine": 400.0, "log_shorter": 0.0, "log_longer": 0.0, "threshold_logit": 0.0,
        "false_match_rate": 0.01, "min_seconds": 1.0, "max_seconds": 12.0, "fitted_speakers": 100,
        "fitted_trials": 5_000, "fitted_on": "a test",
    }  # fmt: skip

    def score(calibration: object) -> float:
        client = operator.customer().primary
        profile_id = Profiles(client, "verification").enrolled(*takes(PASSPORT))
        answer = client.call("PATCH", "/settings", json.dumps({"calibration": calibration}).encode())
        assert answer.status == 200, answer.body
        verified = client.post(f"/verify?verificationProfileId={profile_id}", recording(PASSPORT))
        return float(verified.json["score"])

    assert score({"modelId": "campplus-channels-1", "values": values}) < 0.5
    assert score({"modelId": "other-1", "values": values}) == score(None) > 0.5


def test_limits_of_a_subscription_are_in_effect_with_the_measured_value(customer: Customer) -> None:
    customer.settings({"quality": {"minSpeechSeconds": 30}})
    profiles = Profiles(customer.primary, "verification")
    status, code, message = profiles.enroll(profiles.create(), recording(PASSPORT)).error
    assert (status, code) == (400, "BadRequest")
    assert "Minimum allowed speech length is 30 second(s). The recording has 2." in message
    customer.settings({"quality": None})
    assert profiles.enroll(profiles.create(), recording(PASSPORT)).status == 200
