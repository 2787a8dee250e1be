"""What a customer may see and change of its own subscription; and every setting is really in effect."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from shared.domain.passphrase import EN_US_PASSPHRASES
from tests.api.client import Answer, Client, Profiles, identify
from tests.api.operator import Customer, Operator
from tests.voices import OUTSIDE, PASSPORT, QUESTION, STORY, recording, takes

NOBODY = "00000000-0000-0000-0000-000000000000"
DEFAULTS = {
    "retention": {"maxAgeDays": None, "maxIdleDays": None},
    "thresholds": {"verification": 0.5, "identification": 0.5},
    "passphrases": {},
    "quality": {},
    "enrollmentCohesion": True,
    "calibration": None,
}


@pytest.fixture
def customer(operator: Operator) -> Customer:
    return operator.customer()


def verify(client: Client, profile_id: str, audio: bytes) -> Answer:
    return client.post(f"/verify?verificationProfileId={profile_id}", audio)


def identified(client: Client, candidate: str) -> str:
    return str(identify(client, [candidate], recording(QUESTION))["processingResult"]["identifiedProfileId"])


def phrases(client: Client) -> list[str]:
    return [one["phrase"] for one in client.get("/verificationPhrases?locale=en-US").json]


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT"])
@pytest.mark.parametrize("key", [None, "wrong"])
def test_settings_need_a_subscription_key(api: Client, method: str, key: str | None) -> None:
    answer = Client(api.url, key).call(method, "/settings", b"{}")
    assert answer.error[:2] == (401, "Unauthorized")


def test_the_customer_sees_what_is_its_own_to_set(customer: Customer) -> None:
    answer = customer.primary.call("GET", "/settings")
    assert answer.status == 200
    assert answer.json == DEFAULTS


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_is_not_named_stays(customer: Customer, method: str) -> None:
    first = {"retention": {"maxIdleDays": 30}, "thresholds": {"verification": 0.75}}
    assert customer.settings(first).status == 200
    second = {"retention": {"maxAgeDays": 0.5}, "passphrases": {"en-US": ["Open the door, please!"]}}
    answer = customer.secondary.call(method, "/settings", json.dumps(second).encode())
    expected = {
        "retention": {"maxAgeDays": 0.5, "maxIdleDays": 30.0},
        "thresholds": {"verification": 0.75, "identification": 0.5},
        "passphrases": {"en-US": ["open the door please"]},
        "quality": {},
        "enrollmentCohesion": True,
        "calibration": None,
    }
    assert (answer.status, answer.json) == (200, expected)
    assert customer.primary.call("GET", "/settings").json == expected


def test_what_the_customer_sets_the_operator_sees(customer: Customer, operator: Operator) -> None:
    customer.settings({"thresholds": {"identification": 0.9}})
    shown = operator.get(customer.subscription_id).json["settings"]
    assert shown["thresholds"] == {"verification": 0.5, "identification": 0.9}


@pytest.mark.parametrize(
    "limit",
    [
        {"maxCandidates": 10},
        {"maxProfiles": 10},
        {"requireConsent": False},
        {"keepIdentificationAudio": True},
        {"auditDays": 1},
        {"requestsPerSecond": 1},
    ],
)
def test_the_customer_cannot_move_its_limits(customer: Customer, limit: Mapping[str, object]) -> None:
    status, code, message = customer.settings({"thresholds": {"verification": 0.9}, **limit}).error
    assert (status, code) == (400, "InvalidArgument")
    assert message.startswith(f"{next(iter(limit))} is set by the operator")
    assert customer.primary.call("GET", "/settings").json == DEFAULTS, "nothing of it was taken"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"treshold": {}}, "treshold"),
        ({"thresholds": {"verification": 0}}, "thresholds.verification"),
        ({"retention": {"maxAgeDays": "30"}}, "retention.maxAgeDays"),
        ({"passphrases": {"en-US": ["open the xyzzyplugh door"]}}, "xyzzyplugh"),
    ],
)
def test_what_cannot_be_is_refused_by_name(customer: Customer, change: Mapping[str, object], named: str) -> None:
    status, code, message = customer.settings(change).error
    assert (status, code) == (400, "InvalidArgument")
    assert named in message


def test_a_change_needs_a_body(customer: Customer) -> None:
    assert customer.primary.call("PATCH", "/settings").error[:2] == (400, "InvalidRequest")


def test_the_threshold_of_verification_is_in_effect(customer: Customer) -> None:
    profiles = Profiles(customer.primary, "verification")
    profile_id = profiles.enrolled(*takes(PASSPORT))
    own, other = recording(PASSPORT), recording(PASSPORT, "awb")
    accepted, rejected = (
        verify(customer.primary, profile_id, own).json,
        verify(customer.primary, profile_id, other).json,
    )
    assert (accepted["result"], rejected["result"]) == ("Accept", "Reject")
    customer.settings({"thresholds": {"verification": 1 - 2**-53}})
    strict = verify(customer.primary, profile_id, own).json
    assert (strict["result"], strict["score"]) == ("Reject", accepted["score"])
    customer.settings({"thresholds": {"verification": 1e-300}})
    lenient = verify(customer.primary, profile_id, other).json
    assert (lenient["result"], lenient["score"]) == ("Accept", rejected["score"])


def test_the_threshold_of_identification_is_in_effect(customer: Customer) -> None:
    profile_id = Profiles(customer.primary, "identification").enrolled(recording(STORY), query="?shortAudio=true")
    assert identified(customer.primary, profile_id) == profile_id
    customer.settings({"thresholds": {"identification": 1 - 2**-53}})
    assert identified(customer.primary, profile_id) == NOBODY


def test_phrases_of_its_own_take_the_place_of_the_published_ones(customer: Customer) -> None:
    assert phrases(customer.primary) == list(EN_US_PASSPHRASES)
    customer.settings({"passphrases": {"en-US": [OUTSIDE, "Please open the garden door."]}})
    assert phrases(customer.primary) == [OUTSIDE, "please open the garden door"]
    profiles = Profiles(customer.primary, "verification")
    profile_id = profiles.create()
    assert profiles.enroll(profile_id, recording(PASSPORT)).status == 400
    answers = [profiles.enroll(profile_id, take) for take in [recording(OUTSIDE)] * 3]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert answers[-1].json["phrase"] == OUTSIDE
    result = verify(customer.primary, profile_id, recording(OUTSIDE)).json
    assert (result["result"], result["phrase"]) == ("Accept", OUTSIDE)
    customer.settings({"passphrases": None})
    assert phrases(customer.primary) == list(EN_US_PASSPHRASES)
    assert verify(customer.primary, profile_id, recording(OUTSIDE)).json["result"] == "Accept", "nobody locked out"
    assert profiles.enroll(profiles.create(), recording(OUTSIDE)).status == 400


def test_one_subscriptions_phrases_are_not_anothers(customer: Customer, api: Client) -> None:
    customer.settings({"passphrases": {"en-US": [OUTSIDE]}})
    assert phrases(api) == list(EN_US_PASSPHRASES)


def test_the_candidate_limit_is_in_effect(customer: Customer, operator: Operator) -> None:
    profiles = Profiles(customer.primary, "identification")
    both = [profiles.enrolled(recording(STORY), query="?shortAudio=true"), profiles.create()]
    operator.put(customer.subscription_id, {"maxCandidates": 1})
    path = f"/identify?identificationProfileIds={','.join(both)}&shortAudio=true"
    assert customer.primary.post(path, recording(QUESTION)).error == (
        400,
        "BadRequest",
        "InvalidProfileCount: Maximum number of profiles allowed per request is 1. Received 2.",
    )
    assert identify(customer.primary, both[:1], recording(QUESTION))["status"] == "succeeded"


def test_the_profile_limit_is_in_effect(operator: Operator) -> None:
    customer = operator.customer(maxProfiles=1)
    profiles = Profiles(customer.primary, "verification")
    profiles.create()
    answer = customer.primary.post(profiles.path, b'{"locale":"en-us"}', "application/json")
    assert answer.error == (403, "Forbidden", "Maximum allowed number of profiles is 1.")


@pytest.mark.parametrize("keeps", [True, False])
def test_identification_audio_is_kept_only_where_it_may_be(
    operator: Operator, stored: Callable[[], dict[str, str]], keeps: bool
) -> None:
    customer = operator.customer(keepIdentificationAudio=keeps)
    profile_id = Profiles(customer.primary, "identification").enrolled(recording(STORY), query="?shortAudio=true")
    kept = [name for name in stored() if name.startswith(f"enrollment-audio/{customer.subscription_id}/")]
    assert len(kept) == (1 if keeps else 0)
    assert identified(customer.primary, profile_id) == profile_id
