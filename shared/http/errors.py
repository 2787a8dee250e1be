"""The one place where errors become HTTP: status, code and wording per generation of the API."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

from shared.domain import errors as error
from shared.domain.errors import TimbreError
from shared.http.reply import Reply

log: Final = logging.getLogger("timbre.errors")


@dataclass(frozen=True)
class Answer:
    """How an error looks on the wire.

    ``opening`` goes before the error's own sentence: a word of v1.0's, or a whole sentence where the error says more
    than the generation did. ``message`` takes the sentence's place, where the generation has a fixed text. ``advice``
    is a sentence that follows.
    """

    status: int
    code: str
    opening: str = ""
    message: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Catalogue:
    """The errors of a generation. An error that is not listed is answered as its nearest base class that is.

    ``status_text``: SDKs for JavaScript show ``statusText`` of the body where a verify or identify is refused.
    ``code_header``: 2021-09-05 repeats the code in ``x-ms-error-code``.
    """

    answers: Mapping[type[TimbreError], Answer]
    by_operation: Mapping[tuple[str, type[TimbreError]], Answer] = field(default_factory=dict)
    status_text: bool = False
    code_header: bool = False

    def answer(self, kind: type[TimbreError], operation: str = "") -> Answer | None:
        """``None`` for an error that this generation has no place for."""
        own = self.by_operation.get((operation, kind))
        return own or next((self.answers[base] for base in kind.__mro__ if base in self.answers), None)

    def reply(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
        """JS clients choke on an empty body, Android on a missing ``error.message``."""
        body: dict[str, object] = {"error": {"code": code, "message": message}}
        if self.status_text:
            body["statusText"] = message
        return Reply(status, body, {**(headers or {}), **({"x-ms-error-code": code} if self.code_header else {})})


_V1_CODES: Final = {
    400: "BadRequest", 401: "Unspecified", 403: "Forbidden", 404: "NotFound", 408: "RequestTimeout", 409: "Conflict",
    413: "RequestEntityTooLarge", 429: "TooManyRequests", 500: "InternalServerError", 503: "ServiceUnavailable",
}  # fmt: skip
_LATER_CODES: Final = {**_V1_CODES, 400: "InvalidRequest", 401: "Unauthorized", 429: "RateLimit"}


def _of(status: int, v1_opening: str = "", *, v1_status: int = 0, **later: str) -> tuple[Answer, Answer]:
    """That of v1.0; that of v2.0 and 2021-09-05, of which ``later`` is what differs. Codes are the status's own."""
    v1_status = v1_status or status
    v1 = Answer(v1_status, _V1_CODES[v1_status], v1_opening)
    return v1, Answer(status, **{"code": _LATER_CODES[status], **later})


_UNAUTHORIZED: Final = "Request is not authorized. Make sure subscription key is included and valid."
_ANSWERS: Final[Mapping[type[TimbreError], tuple[Answer, Answer]]] = {
    error.RequestInvalid: _of(400, code="InvalidArgument"),
    **dict.fromkeys((error.LocaleMissing, error.ParameterMissing), _of(400)),
    **dict.fromkeys((error.BodyMissing, error.BodyCutShort, error.BodyNotUnderstood), _of(400, "Invalid Http Request")),
    error.BodyTooSlow: _of(408),
    error.BodyTooLarge: _of(413),
    error.SubscriptionUnknown: _of(401, message=_UNAUTHORIZED),
    **dict.fromkeys((error.RoleTooLow, error.OutsideToken, error.ConsentRefused, error.LimitReached), _of(403)),
    **dict.fromkeys((error.PathUnknown, error.SubscriptionNotFound, error.KeyNotFound), _of(404)),
    error.SubscriptionConflict: _of(409),
    error.RecordingRefused: _of(400, "SpeechNotRecognized"),
    error.AudioUnreadable: _of(400, opening="Invalid audio format."),
    error.AudioFormatUnsupported: _of(400, "InvalidAudioFormat"),
    error.AudioTooShort: _of(400, "AudioTooShort"),
    error.AudioTooLong: _of(400, "AudioTooLong"),
    error.TwoChannelsSpeak: _of(400, "TwoChannelsSpeak", opening="TwoChannelsSpeak"),
    error.PassphraseRefused: _of(400, "InvalidPhrase", opening="Invalid passphrase."),
    error.ActivationNotHeard: _of(400, "InvalidPhrase"),
    error.ProfileNotFound: _of(404, "SpeakerInvalid", code="Not Found"),
    error.OperationNotFound: _of(404),
    error.GroupNotFound: _of(404, v1_status=400),
    **dict.fromkeys((error.NobodyEnrolled, error.ProfileNotEnrolled), _of(400, "IncompleteEnrollment")),
    error.LocalesDiffer: _of(400, "IncompatibleProfiles"),
    error.ModelDiffers: _of(400, "IncompleteEnrollment", opening="Profile is not enrolled."),
    error.ProfileBusy: _of(409, "StorageConflict"),
    error.TooManyEnrollments: _of(403, "TooManyEnrollments", code="InvalidOperation"),
    error.EnrollmentAudioFull: _of(403, "TooManyEnrollments", code="InvalidRequest"),
    error.TooManyCandidates: _of(400, "InvalidProfileCount"),
    error.TryLater: _of(429),
    error.RateExceeded: _of(429, message="Rate limit is exceeded."),
    **dict.fromkeys((error.StorageUnavailable, error.ServiceBusy), _of(503)),
    error.SealBroken: _of(500),
}

_BAD_SPEAKER: Final = Answer(400, "BadRequest", "SpeakerInvalid")

V1: Final = Catalogue(
    {kind: v1 for kind, (v1, _) in _ANSWERS.items()},
    {("verify", error.ProfileNotFound): _BAD_SPEAKER, ("identify", error.ProfileNotFound): _BAD_SPEAKER},
)
"""Where a parameter, not the path, names a profile that does not exist, v1.0 answers 400."""

PLAIN: Final = Catalogue({kind: later for kind, (_, later) in _ANSWERS.items()})
"""The codes of v2.0 without what is for its old clients: for what Timbre adds."""

V2: Final = Catalogue(PLAIN.answers, status_text=True)

LONG_FORM: Final = 'Recordings of up to 4 hours are taken from storage: send {"recordingUrl": "https://..."} as JSON.'
_TOO_MUCH: Final[Mapping[tuple[str, type[TimbreError]], Answer]] = {
    ("identifyTurns", kind): replace(PLAIN.answers[kind], advice=LONG_FORM)
    for kind in (error.AudioTooLong, error.BodyTooLarge)
}
V2021: Final = Catalogue(PLAIN.answers, _TOO_MUCH, status_text=True, code_header=True)


def reply(refused: TimbreError, catalogue: Catalogue, operation: str = "", sentence: str = "") -> Reply:
    """``sentence`` takes the place of the error's own.

    An error that this generation has no place for is a defect of ours, and is answered as one.
    """
    answer = catalogue.answer(type(refused), operation)
    if answer is None:
        return unexpected(refused, catalogue)
    said = answer.message or _opened(answer.opening, sentence or str(refused))
    message = f"{said} {answer.advice}".rstrip()
    headers = {"Retry-After": str(refused.retry_after_seconds)} if isinstance(refused, error.TryLater) else {}
    return catalogue.reply(answer.status, answer.code, message, headers)


def length_sentence(refused: error.AudioTooShort | error.AudioTooLong, purpose: str) -> str:
    """The later generations say for which kind of request the length of free speech is limited."""
    if isinstance(refused, error.AudioTooLong):
        limit = f"Maximum allowed length per {purpose} request is {refused.maximum_seconds:g} seconds."
    else:
        limit = f"Minimum allowed length per {purpose} request is {refused.minimum_seconds:g} second."
    return f"Invalid audio length. {limit} {refused.measured}"


def unexpected(defect: Exception, catalogue: Catalogue) -> Reply:
    """A defect of ours. The log gets its type and place; never its text, which might hold what was sent."""
    frames = reversed(traceback.extract_tb(defect.__traceback__))
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    log.error("unexpected_error type=%s at=%s", type(defect).__name__, places)
    return catalogue.reply(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError", "Internal Server Error.")


def _opened(opening: str, sentence: str) -> str:
    if not opening:
        return sentence
    return f"{opening} {sentence}" if opening.endswith(".") else f"{opening}: {sentence}"
