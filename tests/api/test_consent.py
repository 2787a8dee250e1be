"""Consent over HTTP: recorded, demanded, withdrawn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.client import DATE, UNKNOWN, Answer, Client, Profiles
from tests.api.operator import Customer, Operator
from tests.api.stored import Stored
from tests.voices import PASSPORT, QUESTION, recording, takes

GIVEN = {
    "statementId": "voice-statement-7",
    "recordedDateTime": "2026-01-02T03:04:05.000Z",
    "channel": "branch",
    "reference": "case 4711",
}
PHRASE_ENROLLED = "verification/text-dependent"
IDENTIFIED = "identification/text-independent"


def consent(client: Client, method: str, profile_id: str, body: object = None, kind: str = PHRASE_ENROLLED) -> Answer:
    return client.send(method, f"/profiles/{kind}/{profile_id}/consent", body)


@pytest.fixture
def careful(operator: Operator) -> Customer:
    """A subscription that demands consent."""
    return operator.customer(requireConsent=True)


def test_a_consent_is_recorded_and_shown(api: Client, verification: Profiles) -> None:
    profile_id = verification.create()
    shown: dict[str, Any] = {"profileId": profile_id, **dict.fromkeys(GIVEN), "withdrawnDateTime": None}
    assert consent(api, "GET", profile_id).json == {**shown, "state": "none"}
    answer = consent(api, "PUT", profile_id, GIVEN)
    assert (answer.status, answer.json) == (200, {**shown, **GIVEN, "state": "given"})
    assert consent(api, "GET", profile_id).json == answer.json


def test_only_the_statement_must_be_named(api: Client, verification: Profiles) -> None:
    answer = consent(api, "PUT", verification.create(), {"statementId": "s"})
    assert DATE.fullmatch(answer.json["recordedDateTime"])
    assert (answer.json["channel"], answer.json["reference"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "statementId parameter is missing."),
        ({"statementId": ""}, "Invalid statementId parameter value."),
        ({"statementId": 7}, "Invalid statementId parameter value."),
        ({"statementId": "s" * 257}, "Invalid statementId parameter value."),
        ({"statementId": "s", "reference": "two\nlines"}, "Invalid reference parameter value."),
        ({"statementId": "s", "channel": ["web"]}, "Invalid channel parameter value."),
        ({"statementId": "s", "recordedDateTime": "yesterday"}, "Invalid recordedDateTime parameter value."),
        ({"statementId": "s", "recordedDateTime": "2999-01-01"}, "Invalid recordedDateTime parameter value."),
        ({"statementId": "s", "recordedDateTime": 1}, "Invalid recordedDateTime parameter value."),
        ({"statementId": "s", "speaker": "x"}, 'Unknown field "speaker".'),
        (b"not json", "Invalid JSON format."),
        (None, "Request body is missing."),
    ],
)
def test_what_is_wrong_with_a_record_is_named(api: Client, verification: Profiles, body: object, reason: str) -> None:
    profile_id = verification.create()
    status, _, message = consent(api, "PUT", profile_id, body).error
    assert status == 400
    assert message.startswith(reason)
    assert consent(api, "GET", profile_id).json["state"] == "none"


def test_without_consent_nobody_is_enrolled_where_it_is_demanded(careful: Customer) -> None:
    profiles, take = careful.verification, recording(PASSPORT)
    profile_id = profiles.create()
    status, code, message = profiles.enroll(profile_id, take).error
    assert (status, code) == (403, "Forbidden")
    assert message.startswith("Consent is required.")
    assert profile_id in message
    given = consent(careful.primary, "PUT", profile_id, GIVEN)
    assert given.status == 200
    assert profiles.enroll(profile_id, take).json["enrollmentsCount"] == 1
    assert profiles.reset(profile_id).status == 200
    assert consent(careful.primary, "GET", profile_id).json == given.json, "a reset keeps the consent"


@pytest.mark.parametrize("family", ["verification", "identification"])
def test_a_withdrawal_erases_the_voice_and_shuts_the_profile(customer: Customer, stored: Stored, family: str) -> None:
    profiles = Profiles(customer.primary, family)
    recordings, kind = (takes(PASSPORT), PHRASE_ENROLLED)
    if family == "identification":
        recordings, kind = [recording(QUESTION)], IDENTIFIED
    profile_id = profiles.enrolled(*recordings)

    def kept_voice() -> list[str]:
        """Enrollments and recordings."""
        kept = stored.of_subscription(customer.subscription_id)
        return [name for name in kept if profile_id in name and "/profile:" not in name]

    assert kept_voice() != []
    answer = consent(customer.primary, "DELETE", profile_id, kind=kind)
    assert (answer.status, answer.json["state"]) == (200, "withdrawn")
    assert kept_voice() == []
    assert profiles.show(profile_id)["enrollmentStatus"] == "Enrolling"
    status, code, message = profiles.enroll(profile_id, recordings[0]).error
    assert (status, code, message.partition(".")[0]) == (403, "Forbidden", "Consent was withdrawn")
    again = consent(customer.primary, "DELETE", profile_id, kind=kind)
    assert again.json == answer.json
    assert consent(customer.primary, "PUT", profile_id, GIVEN, kind).json["withdrawnDateTime"] is None
    assert profiles.enroll(profile_id, recordings[0]).status in (200, 202)


def test_every_step_is_in_the_trail_without_its_values(careful: Customer) -> None:
    profile_id = careful.verification.create()
    careful.verification.enroll(profile_id, recording(PASSPORT))
    consent(careful.primary, "PUT", profile_id, GIVEN)
    consent(careful.secondary, "DELETE", profile_id)
    records = [[record[name] for name in ("action", "outcome", "reason", "caller")] for record in careful.trail()]
    assert records[-3:] == [
        ["profile.enroll", "refused", "ConsentMissing", "key:primary"],
        ["consent.record", "succeeded", None, "key:primary"],
        ["consent.withdraw", "succeeded", None, "key:secondary"],
    ]
    assert all(word not in json.dumps(careful.audit()) for word in ("4711", "branch", "voice-statement-7"))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_profile_no_consent(api: Client, verification: Profiles, method: str) -> None:
    body = GIVEN if method == "PUT" else None
    assert consent(api, method, UNKNOWN, body).error[:2] == (404, "Not Found")
    assert consent(api, method, verification.create(), body, kind=IDENTIFIED).error[:2] == (404, "Not Found")
    assert consent(api, method, "no-guid", body).error[:2] == (400, "InvalidArgument")
