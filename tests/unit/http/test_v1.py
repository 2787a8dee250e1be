"""v1.0, apart from what needs a recording (that is tried over HTTP in `tests/api`)."""

from __future__ import annotations

import pytest

from shared.domain.decision import Decision
from shared.domain.errors import (
    ModelDiffers,
    NobodyEnrolled,
    OperationNotFound,
    ProfileNotEnrolled,
    TimbreError,
)
from shared.domain.explanation import Explanation
from shared.domain.limits import AudioRules
from shared.domain.operation import Operation, OperationFailed
from shared.domain.passphrase import HeardPhrase
from shared.domain.profile import ProfileKind
from shared.http.api import Call
from shared.http.reply import Reply
from shared.http.v1 import V1
from shared.services.verify import Verification
from tests.unit.http.calls import CREATED, ID, call

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


@pytest.mark.parametrize("error", [ProfileNotEnrolled(ID, "x"), NobodyEnrolled(None), ModelDiffers(ID, "a", "b")])
@pytest.mark.parametrize(("operation", "collection"), [("identify", ""), ("enroll", "identificationProfiles")])
def test_who_cannot_be_compared_fails_the_operation(error: TimbreError, operation: str, collection: str) -> None:
    failing = call(API, operation, collection=collection)
    assert stored(failing, API.write_error(failing, error)).outcome == OperationFailed(f"IncompleteEnrollment: {error}")


def test_a_phrase_is_enrolled_at_once_or_refused() -> None:
    asked = call(API, "enroll", collection="verificationProfiles")
    assert API.write_error(asked, ModelDiffers(ID, "a", "b")).status == 400


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
