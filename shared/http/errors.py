"""The one place where facts become HTTP: status, code and wording per generation of the API."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from shared.domain import errors as fact
from shared.http.reply import Reply

log = logging.getLogger("timbre.errors")


@dataclass(frozen=True)
class Wire:
    """How a fact looks on the wire.

    ``token`` goes before the fact's own sentence: a word of v1.0's, or a whole sentence where the fact says more than
    the generation did. ``message`` takes the sentence's place, where the generation has a fixed text.
    """

    status: int
    code: str
    token: str = ""
    message: str = ""


class SpeakerUnknown(fact.ProfileNotFound):
    """A parameter, not the path, names a profile that does not exist: v1.0 answers 400, not 404."""


Wires = Mapping[type[fact.TimbreError], Wire]
"""Per class of fact; a fact without an entry of its own is treated as its nearest base class that has one."""

V1: Wires = {
    fact.RequestInvalid: Wire(400, "BadRequest"),
    fact.BodyMissing: Wire(400, "BadRequest", "Invalid Http Request"),
    fact.BodyCutShort: Wire(400, "BadRequest", "Invalid Http Request"),
    fact.BodyNotUnderstood: Wire(400, "BadRequest", "Invalid Http Request"),
    fact.SubscriptionUnknown: Wire(401, "Unspecified"),
    fact.SubscriptionNotFound: Wire(404, "NotFound"),
    fact.SubscriptionConflict: Wire(409, "Conflict"),
    fact.AudioUnreadable: Wire(400, "BadRequest"),
    fact.AudioFormatUnsupported: Wire(400, "BadRequest", "InvalidAudioFormat"),
    fact.AudioTooShort: Wire(400, "BadRequest", "AudioTooShort"),
    fact.AudioTooLong: Wire(400, "BadRequest", "AudioTooLong"),
    fact.RecordingRefused: Wire(400, "BadRequest", "SpeechNotRecognized"),
    fact.TwoChannelsSpeak: Wire(400, "BadRequest", "TwoChannelsSpeak"),
    fact.PassphraseRefused: Wire(400, "BadRequest", "InvalidPhrase"),
    fact.ProfileNotFound: Wire(404, "NotFound", "SpeakerInvalid"),
    SpeakerUnknown: Wire(400, "BadRequest", "SpeakerInvalid"),
    fact.OperationNotFound: Wire(404, "NotFound"),
    fact.GroupNotFound: Wire(400, "BadRequest"),
    fact.NobodyEnrolled: Wire(400, "BadRequest", "IncompleteEnrollment"),
    fact.TooManyGroups: Wire(403, "Forbidden"),
    fact.ConsentRefused: Wire(403, "Forbidden"),
    fact.ProfileNotEnrolled: Wire(400, "BadRequest", "IncompleteEnrollment"),
    fact.ModelDiffers: Wire(400, "BadRequest", "IncompleteEnrollment"),
    fact.LocalesDiffer: Wire(400, "BadRequest", "IncompatibleProfiles"),
    fact.PathUnknown: Wire(404, "NotFound"),
    fact.ProfileBusy: Wire(409, "Conflict", "StorageConflict"),
    fact.TooManyProfiles: Wire(403, "Forbidden"),
    fact.TooManyEnrollments: Wire(403, "Forbidden", "TooManyEnrollments"),
    fact.EnrollmentAudioFull: Wire(403, "Forbidden", "TooManyEnrollments"),
    fact.TooManyCandidates: Wire(400, "BadRequest", "InvalidProfileCount"),
    fact.BodyTooLarge: Wire(413, "RequestEntityTooLarge"),
    fact.BodyTooSlow: Wire(408, "RequestTimeout"),
    fact.StorageUnavailable: Wire(503, "ServiceUnavailable"),
    fact.ServiceBusy: Wire(503, "ServiceUnavailable"),
    fact.RateExceeded: Wire(429, "TooManyRequests"),
    fact.SealBroken: Wire(500, "InternalServerError"),
}

V2: Wires = {
    fact.RequestInvalid: Wire(400, "InvalidArgument"),
    fact.IdMalformed: Wire(400, "InvalidArgument"),
    fact.LocaleMissing: Wire(400, "InvalidRequest"),
    fact.ParameterMissing: Wire(400, "InvalidRequest"),
    fact.BodyMissing: Wire(400, "InvalidRequest"),
    fact.BodyCutShort: Wire(400, "InvalidRequest"),
    fact.BodyNotUnderstood: Wire(400, "InvalidRequest"),
    fact.RecordingRefused: Wire(400, "InvalidRequest"),
    fact.AudioUnreadable: Wire(400, "InvalidRequest", "Invalid audio format."),
    fact.TwoChannelsSpeak: Wire(400, "InvalidRequest", "TwoChannelsSpeak"),
    fact.PassphraseRefused: Wire(400, "InvalidRequest", "Invalid passphrase."),
    fact.ActivationNotHeard: Wire(400, "InvalidRequest"),
    fact.ConsentRefused: Wire(403, "Forbidden"),
    fact.ProfileNotEnrolled: Wire(400, "InvalidRequest"),
    fact.ModelDiffers: Wire(400, "InvalidRequest", "Profile is not enrolled."),
    fact.LocalesDiffer: Wire(400, "InvalidRequest"),
    fact.PathUnknown: Wire(404, "NotFound"),
    fact.TooManyCandidates: Wire(400, "InvalidRequest"),
    fact.SubscriptionUnknown: Wire(
        401,
        "Unauthorized",
        message="Request is not authorized. Make sure subscription key is included and valid.",
    ),
    fact.SubscriptionNotFound: Wire(404, "NotFound"),
    fact.SubscriptionConflict: Wire(409, "Conflict"),
    fact.TooManyProfiles: Wire(403, "Forbidden"),
    fact.TooManyEnrollments: Wire(403, "InvalidOperation"),
    fact.EnrollmentAudioFull: Wire(403, "InvalidRequest"),
    fact.ProfileNotFound: Wire(404, "Not Found"),
    fact.GroupNotFound: Wire(404, "NotFound"),
    fact.NobodyEnrolled: Wire(400, "InvalidRequest"),
    fact.TooManyGroups: Wire(403, "Forbidden"),
    fact.ProfileBusy: Wire(409, "Conflict"),
    fact.BodyTooLarge: Wire(413, "RequestEntityTooLarge"),
    fact.BodyTooSlow: Wire(408, "RequestTimeout"),
    fact.StorageUnavailable: Wire(503, "ServiceUnavailable"),
    fact.ServiceBusy: Wire(503, "ServiceUnavailable"),
    fact.RateExceeded: Wire(429, "RateLimit", message="Rate limit is exceeded."),
    fact.SealBroken: Wire(500, "InternalServerError"),
}
"""v2.0 and 2021-09-05 share one catalogue."""


def reply(error: fact.TimbreError, wires: Wires) -> Reply:
    """A fact that this generation has no place for is a defect of ours, and is answered as one."""
    wire = next((wires[base] for base in type(error).__mro__ if base in wires), None)
    if wire is None:
        return unexpected(error)
    message = wire.message or _after_token(wire.token, str(error))
    headers = {}
    if isinstance(error, fact.TryLater):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return Reply(wire.status, envelope(wire.code, message), headers)


def _after_token(token: str, sentence: str) -> str:
    if not token:
        return sentence
    return f"{token} {sentence}" if token.endswith(".") else f"{token}: {sentence}"


def unexpected(error: Exception) -> Reply:
    """A defect of ours. The log gets its type and place; never its text, which might hold what was sent."""
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__)))
    log.error("unexpected_error type=%s at=%s", type(error).__name__, places)
    return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, envelope("InternalServerError", "Internal Server Error."))


def envelope(code: str, message: str) -> dict[str, object]:
    """The body of every error: JS clients choke on an empty one, Android on a missing ``error.message``."""
    return {"error": {"code": code, "message": message}}


def code_and_message(refusal: Reply) -> tuple[str, str]:
    """What ``envelope`` put into the body."""
    error = cast("dict[str, dict[str, str]]", refusal.body)["error"]
    return error["code"], error["message"]
