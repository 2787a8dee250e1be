"""Facts become HTTP in one place: status, code, token, sentence."""

from __future__ import annotations

import logging

import pytest

from shared.domain import errors as fact
from shared.http import errors
from shared.http.reply import Reply

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"


def message(reply: Reply) -> str:
    assert isinstance(reply.body, dict)
    inner = reply.body["error"]
    assert isinstance(inner, dict)
    assert set(inner) == {"code", "message"}
    return str(inner["message"])


def code(reply: Reply) -> str:
    assert isinstance(reply.body, dict)
    return str(reply.body["error"]["code"])


@pytest.mark.parametrize(
    ("error", "status", "wire_code", "start"),
    [
        (fact.IdMalformed("x"), 400, "BadRequest", "Guid should contain 32 digits with 4 dashes (xxxxxxxx-"),
        (fact.LocaleMissing(), 400, "BadRequest", "Locale parameter is missing."),
        (fact.LocaleUnsupported("xx", ["en-US"]), 400, "BadRequest", "Invalid locale value."),
        (fact.ParameterMissing("p"), 400, "BadRequest", "p parameter is missing."),
        (fact.BodyMissing(), 400, "BadRequest", "Invalid Http Request: Request body is missing."),
        (fact.BodyNotUnderstood("No."), 400, "BadRequest", "Invalid Http Request: No."),
        (fact.SubscriptionUnknown(), 401, "Unspecified", "Access denied due to invalid subscription key."),
        (fact.AudioUnreadable("Not a valid WAVE file"), 400, "BadRequest", "Not a valid WAVE file"),
        (fact.AudioFormatUnsupported("MP4", "WAV"), 400, "BadRequest", "InvalidAudioFormat: Invalid audio format."),
        (fact.AudioTooShort(0.1, 1), 400, "BadRequest", "AudioTooShort: "),
        (fact.AudioTooLong(600, 300), 400, "BadRequest", "AudioTooLong: "),
        (fact.SpeechTooShort(0.1, 1), 400, "BadRequest", "SpeechNotRecognized: "),
        (fact.AudioTooNoisy(-3, 0), 400, "BadRequest", "SpeechNotRecognized: "),
        (fact.AudioClipped(30, 20), 400, "BadRequest", "SpeechNotRecognized: "),
        (fact.PassphraseNotHeard(None), 400, "BadRequest", "InvalidPhrase: "),
        (fact.PassphraseDiffers("a", "b"), 400, "BadRequest", 'InvalidPhrase: The profile is bound to the phrase "b"'),
        (fact.ProfileNotFound(ID), 404, "NotFound", "SpeakerInvalid: "),
        (errors.SpeakerUnknown(ID), 400, "BadRequest", "SpeakerInvalid: "),
        (fact.OperationNotFound(ID), 404, "NotFound", "No operation id found"),
        (fact.ProfileNotEnrolled(ID, "more"), 400, "BadRequest", "IncompleteEnrollment: "),
        (fact.ModelDiffers(ID, "a", "b"), 400, "BadRequest", "IncompleteEnrollment: "),
        (fact.ProfileBusy(ID), 409, "Conflict", "StorageConflict: "),
        (fact.TooManyProfiles(10_000), 403, "Forbidden", "Maximum allowed number of profiles is 10,000."),
        (fact.TooManyEnrollments(50), 403, "Forbidden", "TooManyEnrollments: "),
        (fact.EnrollmentAudioFull(1801, 1800), 403, "Forbidden", "TooManyEnrollments: "),
        (fact.TooManyCandidates(51, 50), 400, "BadRequest", "InvalidProfileCount: "),
        (fact.BodyTooLarge(2, 1), 413, "RequestEntityTooLarge", "The request body may have 1 bytes. Received 2."),
        (fact.StorageUnavailable(), 503, "ServiceUnavailable", "Storage is not available right now."),
        (fact.SealBroken(), 500, "InternalServerError", "Stored data failed its integrity check"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_fact_has_its_status_code_and_token_in_v1(
    error: fact.TimbreError, status: int, wire_code: str, start: str
) -> None:
    reply = errors.reply(error, errors.V1)
    assert (reply.status, code(reply)) == (status, wire_code)
    assert message(reply).startswith(start)
    assert message(reply).endswith(str(error)), "the sentence with the measured value is always there"


MANAGEMENT = (fact.SubscriptionNotFound, fact.SubscriptionConflict)
"""Facts about subscriptions themselves: no call with a subscription key can meet them."""


@pytest.mark.parametrize(
    ("wires", "never_met"),
    [(errors.V1, MANAGEMENT), (errors.V2, (*MANAGEMENT, fact.OperationNotFound))],
    ids=["v1.0", "later generations, which have no operations"],
)
def test_every_fact_that_a_caller_can_meet_has_a_place_on_the_wire(
    wires: errors.Wires, never_met: tuple[type[fact.TimbreError], ...]
) -> None:
    def leaves(base: type[fact.TimbreError]) -> list[type[fact.TimbreError]]:
        below = base.__subclasses__()
        return [leaf for one in below for leaf in leaves(one)] if below else [base]

    met = [leaf for leaf in leaves(fact.TimbreError) if not issubclass(leaf, never_met)]
    assert [leaf.__name__ for leaf in met if not any(base in wires for base in leaf.__mro__)] == []


def test_a_fact_without_a_place_is_answered_as_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        reply = errors.reply(fact.BodyMissing(), {fact.SealBroken: errors.Wire(500, "InternalServerError")})
    assert (reply.status, code(reply), message(reply)) == (500, "InternalServerError", "Internal Server Error.")
    assert "type=BodyMissing" in caplog.text


def test_when_to_try_again_is_a_header() -> None:
    assert errors.reply(fact.StorageUnavailable(7), errors.V1).headers == {"Retry-After": "7"}
    assert errors.reply(fact.BodyMissing(), errors.V1).headers == {}


def test_a_defect_says_nothing_of_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    def handler() -> None:
        raise ValueError("my voice is my passport key=hunter2")

    with caplog.at_level(logging.ERROR):
        try:
            handler()
        except ValueError as error:
            reply = errors.unexpected(error)
    assert (reply.status, code(reply), message(reply)) == (500, "InternalServerError", "Internal Server Error.")
    assert "hunter2" not in caplog.text
    assert "passport" not in caplog.text


def test_a_defects_type_and_place_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    def misbehaving_handler() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        try:
            misbehaving_handler()
        except ZeroDivisionError as error:
            errors.unexpected(error)
    assert "type=ZeroDivisionError at=misbehaving_handler:" in caplog.text
