"""v1.0, apart from what needs a recording (that is tried over HTTP in `tests/api`)."""

from __future__ import annotations

import pytest

from shared.domain.decision import Confidence, Decision
from shared.domain.errors import (
    AudioTooShort,
    ModelDiffers,
    NobodyEnrolled,
    OperationNotFound,
    PassphraseNotHeard,
    ProfileNotEnrolled,
    ProfileNotFound,
    TimbreError,
)
from shared.domain.explanation import Explanation
from shared.domain.limits import AudioRules
from shared.domain.operation import IdentificationResult, Operation, OperationFailed
from shared.domain.passphrase import HeardPhrase
from shared.domain.profile import ProfileKind
from shared.http.api import Call
from shared.http.reply import Reply
from shared.http.v1 import V1
from shared.services.identify import Identification, RankedProfile
from shared.services.verify import Verification
from tests.unit.http.calls import CREATED, ID, call, profile

TDV, TII = ProfileKind.TEXT_DEPENDENT_VERIFICATION, ProfileKind.IDENTIFICATION
API = V1()


def stored(call: Call, reply: Reply) -> Operation:
    """The operation that the answer leads to."""
    assert (reply.status, reply.body) == (202, None)
    address, _, operation_id = reply.headers["Operation-Location"].rpartition("/")
    assert address == "http://127.0.0.1:7071/spid/v1.0/operations"
    operations = call.services.operations.store
    with pytest.raises(OperationNotFound):
        operations.get("yours", operation_id, CREATED)
    return operations.get("mine", operation_id, CREATED)


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (TDV, {"verificationProfileId": ID, "enrollmentsCount": 4, "remainingEnrollmentsCount": 0}),
        (
            TII,
            {"identificationProfileId": ID, "enrollmentSpeechTime": 31.72, "remainingEnrollmentSpeechTime": 0.0},
        ),
    ],
)
def test_a_profile_on_the_wire(kind: ProfileKind, own: dict[str, object]) -> None:
    assert API.write_profile(call(API, "profile"), profile(kind)).body == {
        **own,
        "locale": "EN-us",
        "createdDateTime": "2020-01-29T22:48:17.007Z",
        "lastActionDateTime": "2020-01-31T00:00:00.000Z",
        "enrollmentStatus": "Enrolled",
        "expiresDateTime": None,
    }


@pytest.mark.parametrize(
    ("score", "result", "confidence"),
    [(0.93456, "Accept", "High"), (0.5, "Accept", "Low"), (0.4999, "Reject", "Low"), (0.0, "Reject", "High")],
)
def test_a_verification_on_the_wire(score: float, result: str, confidence: str) -> None:
    heard = HeardPhrase("my name is unknown to you", -10.0, recognised=True)
    assert API.write_verify(call(API, "verify"), Verification(Decision(score), Explanation(), heard)).body == {
        "result": result,
        "confidence": confidence,
        "phrase": "my name is unknown to you",
        "score": round(score, 4),
    }


def test_an_unrecognised_phrase_is_a_bad_request() -> None:
    heard = HeardPhrase("my name is unknown to you", -90.0, recognised=False)
    with pytest.raises(PassphraseNotHeard, match="The nearest was"):
        API.write_verify(call(API, "verify"), Verification(Decision(0.0), Explanation(), heard))


def test_another_phrase_than_the_profiles_example_is_a_reject() -> None:
    heard = HeardPhrase("", -0.9, recognised=False)
    reply = API.write_verify(call(API, "verify"), Verification(Decision(0.0), Explanation(), heard))
    assert reply.body == {"result": "Reject", "confidence": "High", "phrase": "", "score": 0.0}


def test_an_identification_becomes_an_operation_that_can_be_asked_for() -> None:
    identify = call(API, "identify")
    reply = API.write_identify(identify, Identification([RankedProfile(ID, Decision(0.85))], Explanation()))
    operation = stored(identify, reply)
    assert (operation.created_at, operation.outcome) == (CREATED, IdentificationResult(ID, Confidence.NORMAL))


@pytest.mark.parametrize("error", [ProfileNotEnrolled(ID, "x"), NobodyEnrolled(None), ModelDiffers(ID, "a", "b")])
@pytest.mark.parametrize(("operation", "collection"), [("identify", ""), ("enroll", "identificationProfiles")])
def test_who_cannot_be_compared_fails_the_operation(error: TimbreError, operation: str, collection: str) -> None:
    failing = call(API, operation, collection=collection)
    assert stored(failing, API.write_error(failing, error)).outcome == OperationFailed(f"IncompleteEnrollment: {error}")


@pytest.mark.parametrize(
    ("operation", "collection", "error", "status"),
    [
        ("identify", "", AudioTooShort(0.1, 1.0), 400),
        ("identify", "", ProfileNotFound(ID), 400),
        ("verify", "", ProfileNotFound(ID), 400),
        ("enroll", "identificationProfiles", ProfileNotFound(ID), 404),
        ("enroll", "verificationProfiles", ModelDiffers(ID, "a", "b"), 400),
    ],
)
def test_any_other_error_is_answered_at_once(operation: str, collection: str, error: TimbreError, status: int) -> None:
    reply = API.write_error(call(API, operation, collection=collection), error)
    assert (reply.status, reply.headers) == (status, {})


def test_each_operation_holds_recordings_to_the_contract() -> None:
    phrase, free, short = (
        AudioRules(1.0, 15.0, 0.5, 0.0),
        AudioRules(5.0, 300.0, 1.0, 0.0),
        AudioRules(1.0, 300.0, 0.5, 0.0),
    )
    for collection, query, rules in (
        ("verificationProfiles", "", phrase),
        ("identificationProfiles", "", free),
        ("identificationProfiles", "shortAudio=true", short),
    ):
        asked = call(API, "enroll", query, collection=collection)
        assert API.enroll_rules(asked, API.kind(asked)).audio == rules
    for query, rules in (("", free), ("&shortAudio=true", short)):
        assert API.read_identify(call(API, "identify", f"identificationProfileIds={ID}{query}")).rules == rules
    assert API.read_verify(call(API, "verify", f"verificationProfileId={ID}")).rules == phrase
