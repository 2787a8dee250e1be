"""What a customer may see and change of its own subscription; and every setting is really in effect."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.domain.passphrase import EN_US_PASSPHRASES
from tests.api.client import NOBODY, PREFIX, Client, ask_to_identify, identified, verify
from tests.api.operator import DEFAULTS, Customer, Operator
from tests.api.stored import Stored
from tests.voices import OUTSIDE, PASSPORT, QUESTION, recording, takes


def phrases(client: Client) -> list[str]:
    return [entry["phrase"] for entry in client.get("/verificationPhrases?locale=en-US").json]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_is_not_named_stays(customer: Customer, operator: Operator, method: str) -> None:
    assert customer.primary.call("GET", "/settings").json == DEFAULTS
    first = {"retention": {"maxIdleDays": 30}, "thresholds": {"verification": 0.75}}
    assert customer.settings(first).status == 200
    second = {"retention": {"maxAgeDays": 0.5}, "passphrases": {"en-US": ["Open the door, please!"]}}
    answer = customer.secondary.send(method, "/settings", second)
    expected = DEFAULTS | {
        "retention": {"maxAgeDays": 0.5, "maxIdleDays": 30.0},
        "thresholds": {"verification": 0.75, "identification": 0.5},
        "passphrases": {"en-US": ["open the door please"]},
    }
    assert (answer.status, answer.json) == (200, expected)
    assert customer.primary.call("GET", "/settings").json == expected
    assert expected.items() <= operator.get(customer.subscription_id).json["settings"].items()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        *(
            ({"thresholds": {"verification": 0.9}, limit: value}, f"{limit} is set by the operator")
            for limit, value in {
                "maxCandidates": 10,
                "maxProfiles": 10,
                "requireConsent": False,
                "keepIdentificationAudio": True,
                "auditDays": 1,
                "lockSettings": False,
                "minThresholds": {"verification": 0.01},
                "minRetentionDays": 0,
                "requestsPerSecond": 1,
            }.items()
        ),
        ({"treshold": {}}, "treshold"),
        ({"thresholds": {"verification": 0}}, "thresholds.verification"),
        ({"retention": {"maxAgeDays": "30"}}, "retention.maxAgeDays"),
        ({"passphrases": {"en-US": ["open the grüne door"]}}, "grüne"),
    ],
)
def test_what_the_customer_cannot_set_is_refused_by_name(
    customer: Customer, change: Mapping[str, object], reason: str
) -> None:
    status, code, message = customer.settings(change).error
    assert (status, code) == (400, "InvalidArgument")
    assert reason in message
    assert customer.primary.call("GET", "/settings").json == DEFAULTS, "nothing of it was taken"


def test_a_change_needs_a_body(customer: Customer) -> None:
    assert customer.primary.call("PATCH", "/settings").error[:2] == (400, "InvalidRequest")


def test_the_threshold_of_verification_is_in_effect(operator: Operator) -> None:
    customer = operator.customer(minThresholds={"verification": 1e-300})
    profile_id = customer.verification.enrolled(*takes(PASSPORT))

    def results(threshold: float) -> list[tuple[str, float]]:
        assert customer.settings({"thresholds": {"verification": threshold}}).status == 200
        answers = [verify(customer.primary, profile_id, recording(PASSPORT, voice)).json for voice in ("slt", "rms")]
        return [(answer["result"], answer["score"]) for answer in answers]

    (_, own), (_, other) = results(0.5)
    assert results(0.5) == [("Accept", own), ("Reject", other)]
    assert results(1 - 2**-53) == [("Reject", own), ("Reject", other)]
    assert results(1e-300) == [("Accept", own), ("Accept", other)]


def test_nothing_of_the_customers_gets_under_the_operators_minimum(customer: Customer, operator: Operator) -> None:
    profile_id = customer.verification.enrolled(*takes(PASSPORT))
    floors = {"minThresholds": {"verification": 0.8}, "minRetentionDays": 10}
    assert customer.settings({"retention": {"maxIdleDays": 1}}).status == 200
    assert operator.put(customer.subscription_id, floors).status == 200
    shown = customer.primary.call("GET", "/settings").json
    assert shown["thresholds"] == {"verification": 0.8, "identification": 0.5}, "0.5 counts as the minimum"
    assert shown["retention"]["maxIdleDays"] == 10
    assert customer.settings(shown).status == 200
    for change, named in (
        ({"thresholds": {"verification": 0.79}}, "thresholds.verification"),
        ({"thresholds": {"verification": {"falseMatchRate": 0.01}}}, "thresholds.verification"),
        ({"retention": {"maxAgeDays": 9.9}}, "retention.maxAgeDays"),
    ):
        status, code, message = customer.settings(change).error
        assert (status, code) == (400, "InvalidArgument")
        assert f"Invalid {named} parameter value. The operator's minimum is" in message
    for query in ("&threshold=0.79", "&falseMatchRate=0.01"):
        assert verify(customer.primary, profile_id, recording(PASSPORT), query).status == 400
    assert operator.put(customer.subscription_id, {"thresholds": {"verification": 0.7}}).status == 400
    lowered = {"thresholds": {"verification": 0.7}, "minThresholds": {"verification": 0.6}}
    assert operator.put(customer.subscription_id, lowered).json["settings"]["thresholds"]["verification"] == 0.7


def test_the_threshold_of_identification_is_in_effect(customer: Customer) -> None:
    profile_id = customer.identification.enrolled(recording(PASSPORT))
    assert identified(customer.primary, [profile_id], recording(QUESTION)) == profile_id
    customer.settings({"thresholds": {"identification": 1 - 2**-53}})
    assert identified(customer.primary, [profile_id], recording(QUESTION)) == NOBODY


def test_phrases_of_its_own_take_the_place_of_the_published_ones(customer: Customer, api: Client) -> None:
    profiles = customer.verification
    assert phrases(customer.primary) == list(EN_US_PASSPHRASES)
    customer.settings({"passphrases": {"en-US": [OUTSIDE, "Please open the garden door."]}})
    assert phrases(customer.primary) == [OUTSIDE, "please open the garden door"]
    assert phrases(api) == list(EN_US_PASSPHRASES), "those of another subscription are its own"
    profile_id = profiles.create()
    assert profiles.enroll(profile_id, recording(PASSPORT)).status == 400
    answers = [profiles.enroll(profile_id, recording(OUTSIDE)) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert answers[-1].json["phrase"] == OUTSIDE
    result = verify(customer.primary, profile_id, recording(OUTSIDE)).json
    assert (result["result"], result["phrase"]) == ("Accept", OUTSIDE)
    customer.settings({"passphrases": None})
    assert phrases(customer.primary) == list(EN_US_PASSPHRASES)
    assert verify(customer.primary, profile_id, recording(OUTSIDE)).json["result"] == "Accept", "nobody locked out"
    assert profiles.enroll(profiles.create(), recording(OUTSIDE)).status == 400


def test_the_candidate_limit_is_in_effect(customer: Customer, operator: Operator) -> None:
    profiles = customer.identification
    both = [profiles.enrolled(recording(PASSPORT)), profiles.create()]
    operator.put(customer.subscription_id, {"maxCandidates": 1})
    message = "InvalidProfileCount: Maximum number of profiles allowed per request is 1. Received 2."
    answer = ask_to_identify(customer.primary, ",".join(both), recording(QUESTION))
    assert answer.error == (400, "BadRequest", message)
    assert identified(customer.primary, both[:1], recording(QUESTION)) == both[0]


def test_the_profile_limit_is_in_effect(operator: Operator) -> None:
    profiles = operator.customer(maxProfiles=1).verification
    profiles.create()
    answer = profiles.client.send("POST", PREFIX + profiles.path, {"locale": "en-us"})
    assert answer.error == (403, "Forbidden", "Maximum allowed number of profiles is 1.")


@pytest.mark.parametrize("keeps", [True, False])
def test_identification_audio_is_kept_only_where_it_may_be(operator: Operator, stored: Stored, keeps: bool) -> None:
    customer = operator.customer(keepIdentificationAudio=keeps)
    profile_id = customer.identification.enrolled(recording(PASSPORT))
    kept = [name for name in stored.of_subscription(customer.subscription_id) if name.startswith("enrollment-audio/")]
    assert len(kept) == (1 if keeps else 0)
    assert identified(customer.primary, [profile_id], recording(QUESTION)) == profile_id
