"""Errors become HTTP in one place: status, code, token, sentence."""

from __future__ import annotations

import logging

import pytest

from shared.domain import errors as error
from shared.http import errors
from shared.http.errors import Answer, Catalogue
from shared.http.reply import Reply

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"


def written(reply: Reply) -> str:
    """Status, code and message in one line."""
    assert isinstance(reply.body, dict)
    assert set(reply.body["error"]) == {"code", "message"}
    return f"{reply.status} {reply.body['error']['code']}|{reply.body['error']['message']}"


@pytest.mark.parametrize(
    ("refused", "v1", "v2"),
    [
        (error.IdMalformed("x"), "400 BadRequest|Guid should contain 32", "400 InvalidArgument|Guid should contain 32"),
        (error.LocaleMissing(), "400 BadRequest|Locale parameter is", "400 InvalidRequest|Locale parameter is"),
        (error.LocaleUnsupported("x", ["a"]), "400 BadRequest|Invalid locale", "400 InvalidArgument|Invalid locale"),
        (error.ParameterMissing("p"), "400 BadRequest|p parameter is", "400 InvalidRequest|p parameter is"),
        (error.ParameterInvalid("p", "x", "No."), "400 BadRequest|Invalid p", "400 InvalidArgument|Invalid p"),
        (error.ContinuationInvalid("t"), "400 BadRequest|Invalid t", "400 InvalidArgument|Invalid t value. t must be"),
        (error.BodyMissing(), "400 BadRequest|Invalid Http Request: Request", "400 InvalidRequest|Request body is"),
        (error.BodyNotUnderstood("No."), "400 BadRequest|Invalid Http Request: No.", "400 InvalidRequest|No."),
        (error.PathUnknown("/x"), "404 NotFound|There is nothing at /x.", "404 NotFound|There is nothing at /x."),
        (error.BodyTooLarge(2, 1), "413 RequestEntityTooLarge|The req", "413 RequestEntityTooLarge|The request body"),
        (error.SubscriptionUnknown(), "401 Unspecified|Access denied due to", "401 Unauthorized|Request is not auth"),
        (error.AudioUnreadable("No WAV"), "400 BadRequest|No WAV", "400 InvalidRequest|Invalid audio format. No WAV"),
        (error.AudioFormatUnsupported("a", "b"), "400 BadRequest|InvalidAudioFormat: ", "400 InvalidRequest|Invalid a"),
        (error.AudioTooShort(0.1, 1), "400 BadRequest|AudioTooShort: Inv", "400 InvalidRequest|Invalid audio length"),
        (error.AudioTooLong(600, 300), "400 BadRequest|AudioTooLong: Inv", "400 InvalidRequest|Invalid audio length"),
        (error.SpeechTooShort(0.1, 1), "400 BadRequest|SpeechNotRecognized: ", "400 InvalidRequest|Invalid audio len"),
        (error.AudioTooNoisy(-3, 0), "400 BadRequest|SpeechNotRecognized: ", "400 InvalidRequest|Audio is too noisy."),
        (error.TwoChannelsSpeak({1: 2.0, 2: 3.0}), "400 BadRequest|TwoChann", "400 InvalidRequest|TwoChannelsSpeak: "),
        (error.PassphraseUnlike(), "400 BadRequest|InvalidPhrase: ", "400 InvalidRequest|Invalid passphrase. "),
        (error.PassphraseNotHeard(None), "400 BadRequest|InvalidPhrase: ", "400 InvalidRequest|Invalid passphrase. "),
        (error.PassphraseDiffers("a", "b"), "400 BadRequest|InvalidPhrase: ", "400 InvalidRequest|Invalid passphrase."),
        (error.ActivationNotHeard("a", "b"), "400 BadRequest|InvalidPhrase: ", "400 InvalidRequest|Activation phrase"),
        (error.ProfileNotFound(ID), "404 NotFound|SpeakerInvalid: ", "404 Not Found|Requested profile doesn't exist"),
        (error.OperationNotFound(ID), "404 NotFound|No operation id found", "404 NotFound|No operation id found"),
        (error.GroupNotFound("g"), "400 BadRequest|Requested group", "404 NotFound|Requested group doesn't exist"),
        (error.NobodyEnrolled(None), "400 BadRequest|IncompleteEnrollment: ", "400 InvalidRequest|Profile is not enr"),
        (error.ConsentMissing(ID), "403 Forbidden|Consent is required.", "403 Forbidden|Consent is required."),
        (error.ProfileNotEnrolled(ID, "a"), "400 BadRequest|IncompleteEnrollment: ", "400 InvalidRequest|Profile is n"),
        (error.ModelDiffers(ID, "a", "b"), "400 BadRequest|IncompleteEnrollment: ", "400 InvalidRequest|Profile is n"),
        (error.LocalesDiffer(["a"]), "400 BadRequest|IncompatibleProfiles: ", "400 InvalidRequest|Invalid group of"),
        (error.ProfileBusy(ID), "409 Conflict|StorageConflict: Sending", "409 Conflict|Sending concurrent requests"),
        (error.TooManyProfiles(10), "403 Forbidden|Maximum allowed number", "403 Forbidden|Maximum allowed number"),
        (error.TooManyEnrollments(50), "403 Forbidden|TooManyEnrollments: ", "403 InvalidOperation|Maximum allowed"),
        (error.EnrollmentAudioFull(9, 8), "403 Forbidden|TooManyEnrollments: ", "403 InvalidRequest|Maximum allowed"),
        (error.TooManyCandidates(51, 50), "400 BadRequest|InvalidProfileCount: ", "400 InvalidRequest|Maximum number"),
        (error.RoleTooLow("manage", "enroll"), "403 Forbidden|This takes a key with", "403 Forbidden|This takes a key"),
        (error.StorageUnavailable(), "503 ServiceUnavailable|Storage", "503 ServiceUnavailable|Storage is not avail"),
        (error.RateExceeded(), "429 TooManyRequests|Rate limit is exceeded. Try", "429 RateLimit|Rate limit is excee"),
        (error.SealBroken(), "500 InternalServerError|Stored data", "500 InternalServerError|Stored data failed its"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_has_its_status_code_and_token_in_each_generation(
    refused: error.TimbreError, v1: str, v2: str
) -> None:
    replies = {v1: written(errors.reply(refused, errors.V1)), v2: written(errors.reply(refused, errors.PLAIN))}
    for start, line in replies.items():
        assert line.startswith(start)
    assert replies[v1].endswith(str(refused)), "the sentence with the measured value is always there"


MANAGEMENT = (error.SubscriptionNotFound, error.SubscriptionConflict)
"""Errors about subscriptions themselves: no call with a subscription key can meet them."""


@pytest.mark.parametrize(
    ("catalogue", "never_met"),
    [(errors.V1, MANAGEMENT), (errors.V2, MANAGEMENT)],
    ids=["v1.0", "later generations, which have no operations"],
)
def test_every_error_that_a_caller_can_meet_has_a_place_on_the_wire(
    catalogue: Catalogue, never_met: tuple[type[error.TimbreError], ...]
) -> None:
    def leaves(base: type[error.TimbreError]) -> list[type[error.TimbreError]]:
        below = base.__subclasses__()
        return [leaf for kind in below for leaf in leaves(kind)] if below else [base]

    met = [leaf for leaf in leaves(error.TimbreError) if not issubclass(leaf, never_met)]
    assert [leaf.__name__ for leaf in met if catalogue.answer(leaf) is None] == []


def test_an_error_without_a_place_is_answered_as_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        reply = errors.reply(error.BodyMissing(), Catalogue({error.SealBroken: Answer(500, "X")}))
    assert written(reply) == "500 InternalServerError|Internal Server Error."
    assert "type=BodyMissing" in caplog.text


def test_when_to_try_again_is_a_header() -> None:
    assert errors.reply(error.StorageUnavailable(7), errors.V1).headers == {"Retry-After": "7"}
    assert errors.reply(error.BodyMissing(), errors.V1).headers == {}


def test_what_old_clients_look_for_is_in_the_answers_of_their_generations() -> None:
    body = {"error": {"code": "Not Found", "message": (message := f"Requested profile doesn't exist: {ID}.")}}
    refused = error.ProfileNotFound(ID)
    assert errors.reply(refused, errors.PLAIN) == Reply(404, body)
    assert errors.reply(refused, errors.V2) == Reply(404, {**body, "statusText": message})
    coded = Reply(404, {**body, "statusText": message}, {"x-ms-error-code": "Not Found"})
    assert errors.reply(refused, errors.V2021) == coded
    defect = errors.unexpected(KeyError(), errors.V2021)
    assert (defect.status, defect.headers) == (500, {"x-ms-error-code": "InternalServerError"})


def test_a_defect_logs_its_type_and_place_and_nothing_of_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    def misbehaving_handler() -> None:
        raise ValueError("my voice is my passport key=hunter2")

    with caplog.at_level(logging.ERROR):
        try:
            misbehaving_handler()
        except ValueError as defect:
            reply = errors.unexpected(defect, errors.PLAIN)
    assert written(reply) == "500 InternalServerError|Internal Server Error."
    assert "type=ValueError at=misbehaving_handler:" in caplog.text
    assert "hunter2" not in caplog.text
    assert "passport" not in caplog.text
