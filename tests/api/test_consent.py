"""Consent over HTTP: recorded, demanded, withdrawn."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.client import Answer, Client, Profiles
from tests.api.operator import Customer, Operator
from tests.voices import PASSPORT, STORY, recording, takes

GIVEN = {
    "statementId": "voice-statement-7",
    "recordedDateTime": "2026-01-02T03:04:05.000Z",
    "channel": "branch",
    "reference": "case 4711",
}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PHRASE_ENROLLED = "verification/text-dependent"
IDENTIFIED = "identification/text-independent"


def consent(client: Client, method: str, profile_id: str, body: object = None, kind: str = PHRASE_ENROLLED) -> Answer:
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return client.call(method, f"/profiles/{kind}/{profile_id}/consent", content)


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
    ("body", "said"),
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
def test_what_is_wrong_with_a_record_is_named(api: Client, verification: Profiles, body: object, said: str) -> None:
    profile_id = verification.create()
    status, _, message = consent(api, "PUT", profile_id, body).error
    assert status == 400
    assert message.startswith(said)
    assert consent(api, "GET", profile_id).json["state"] == "none"


def test_without_consent_nobody_is_enrolled_where_it_is_demanded(careful: Customer) -> None:
    profiles = Profiles(careful.primary, "verification")
    profile_id = profiles.create()
    take = takes(PASSPORT)[0]
    status, code, message = profiles.enroll(profile_id, take).error
    assert (status, code) == (403, "Forbidden")
    assert message.startswith("Consent is required.")
    assert profile_id in message
    assert consent(careful.primary, "PUT", profile_id, GIVEN).status == 200
    assert profiles.enroll(profile_id, take).json["enrollmentsCount"] == 1


@pytest.mark.parametrize("family", ["verification", "identification"])
def test_a_withdrawal_erases_the_voice_and_shuts_the_profile(
    operator: Operator, stored: Callable[[], dict[str, str]], family: str
) -> None:
    customer = operator.customer()
    profiles = Profiles(customer.primary, family)
    recordings, kind = (
        (takes(PASSPORT), PHRASE_ENROLLED) if family == "verification" else ([recording(STORY)], IDENTIFIED)
    )
    profile_id = profiles.enrolled(*recordings)
    assert kept_voice(stored(), profile_id) != []
    answer = consent(customer.primary, "DELETE", profile_id, kind=kind)
    assert (answer.status, answer.json["state"]) == (200, "withdrawn")
    assert kept_voice(stored(), profile_id) == []
    assert profiles.show(profile_id)["enrollmentStatus"] == "Enrolling"
    status, code, message = profiles.enroll(profile_id, recordings[0]).error
    assert (status, code, message.partition(".")[0]) == (403, "Forbidden", "Consent was withdrawn")
    again = consent(customer.primary, "DELETE", profile_id, kind=kind)
    assert again.json == answer.json
    assert consent(customer.primary, "PUT", profile_id, GIVEN, kind).json["withdrawnDateTime"] is None
    assert profiles.enroll(profile_id, recordings[0]).status in (200, 202)


def kept_voice(stored: dict[str, str], profile_id: str) -> list[str]:
    """Enrollments and recordings."""
    return [name for name in stored if profile_id in name and "/profile:" not in name and not name.startswith("audit/")]


def test_a_reset_keeps_the_consent(careful: Customer) -> None:
    profiles = Profiles(careful.primary, "verification")
    profile_id = profiles.create()
    given = consent(careful.primary, "PUT", profile_id, GIVEN).json
    assert profiles.client.post(f"{profiles.path}/{profile_id}/reset").status == 200
    assert consent(careful.primary, "GET", profile_id).json == given


def test_every_step_is_in_the_trail_without_what_was_said(careful: Customer) -> None:
    profiles = Profiles(careful.primary, "verification")
    profile_id = profiles.create()
    profiles.enroll(profile_id, takes(PASSPORT)[0])
    consent(careful.primary, "PUT", profile_id, GIVEN)
    consent(careful.secondary, "DELETE", profile_id)
    trail = careful.audit()
    assert [(one["action"], one["outcome"], one["reason"], one["caller"]) for one in trail["value"]][-3:] == [
        ("profile.enroll", "refused", "ConsentMissing", "primary"),
        ("consent.record", "succeeded", None, "primary"),
        ("consent.withdraw", "succeeded", None, "secondary"),
    ]
    assert all(word not in json.dumps(trail) for word in ("4711", "branch", "voice-statement-7"))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_profile_no_consent(api: Client, verification: Profiles, method: str) -> None:
    body = GIVEN if method == "PUT" else None
    missing = "6f6b0c41-2f0c-4b3c-9a0c-0a7c4f0f2a11"
    assert consent(api, method, missing, body).error[:2] == (404, "Not Found")
    assert consent(api, method, verification.create(), body, kind=IDENTIFIED).error[:2] == (404, "Not Found")
    assert consent(api, method, "no-guid", body).error[:2] == (400, "InvalidArgument")
