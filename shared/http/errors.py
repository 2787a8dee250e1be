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

    ``token`` goes before the error's own sentence: a word of v1.0's, or a whole sentence where the error says more than
    the generation did. ``message`` takes the sentence's place, where the generation has a fixed text. ``advice`` is a
    sentence that follows.
    """

    status: int
    code: str
    token: str = ""
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


_ANSWERS: Final[Mapping[type[TimbreError], tuple[Answer | None, Answer | None]]] = {
    # v1.0; v2.0 and 2021-09-05
    error.RequestInvalid: (Answer(400, "BadRequest"), Answer(400, "InvalidArgument")),
    error.LocaleMissing: (Answer(400, "BadRequest"), Answer(400, "InvalidRequest")),
    error.ParameterMissing: (Answer(400, "BadRequest"), Answer(400, "InvalidRequest")),
    error.BodyMissing: (Answer(400, "BadRequest", "Invalid Http Request"), Answer(400, "InvalidRequest")),
    error.BodyCutShort: (Answer(400, "BadRequest", "Invalid Http Request"), Answer(400, "InvalidRequest")),
    error.BodyNotUnderstood: (Answer(400, "BadRequest", "Invalid Http Request"), Answer(400, "InvalidRequest")),
    error.PathUnknown: (Answer(404, "NotFound"), Answer(404, "NotFound")),
    error.BodyTooLarge: (Answer(413, "RequestEntityTooLarge"), Answer(413, "RequestEntityTooLarge")),
    error.BodyTooSlow: (Answer(408, "RequestTimeout"), Answer(408, "RequestTimeout")),
    error.SubscriptionUnknown: (
        Answer(401, "Unspecified"),
        Answer(
            401,
            "Unauthorized",
            message="Request is not authorized. Make sure subscription key is included and valid.",
        ),
    ),
    error.RoleTooLow: (Answer(403, "Forbidden"), Answer(403, "Forbidden")),
    error.OutsideToken: (Answer(403, "Forbidden"), Answer(403, "Forbidden")),
    error.SubscriptionNotFound: (Answer(404, "NotFound"), Answer(404, "NotFound")),
    error.KeyNotFound: (Answer(404, "NotFound"), Answer(404, "NotFound")),
    error.SubscriptionConflict: (Answer(409, "Conflict"), Answer(409, "Conflict")),
    error.RecordingRefused: (Answer(400, "BadRequest", "SpeechNotRecognized"), Answer(400, "InvalidRequest")),
    error.AudioUnreadable: (Answer(400, "BadRequest"), Answer(400, "InvalidRequest", "Invalid audio format.")),
    error.AudioFormatUnsupported: (Answer(400, "BadRequest", "InvalidAudioFormat"), Answer(400, "InvalidRequest")),
    error.AudioTooShort: (Answer(400, "BadRequest", "AudioTooShort"), Answer(400, "InvalidRequest")),
    error.AudioTooLong: (Answer(400, "BadRequest", "AudioTooLong"), Answer(400, "InvalidRequest")),
    error.TwoChannelsSpeak: (
        Answer(400, "BadRequest", "TwoChannelsSpeak"),
        Answer(400, "InvalidRequest", "TwoChannelsSpeak"),
    ),
    error.PassphraseRefused: (
        Answer(400, "BadRequest", "InvalidPhrase"),
        Answer(400, "InvalidRequest", "Invalid passphrase."),
    ),
    error.ActivationNotHeard: (Answer(400, "BadRequest", "InvalidPhrase"), Answer(400, "InvalidRequest")),
    error.ProfileNotFound: (Answer(404, "NotFound", "SpeakerInvalid"), Answer(404, "Not Found")),
    error.OperationNotFound: (Answer(404, "NotFound"), Answer(404, "NotFound")),
    error.GroupNotFound: (Answer(400, "BadRequest"), Answer(404, "NotFound")),
    error.NobodyEnrolled: (Answer(400, "BadRequest", "IncompleteEnrollment"), Answer(400, "InvalidRequest")),
    error.ConsentRefused: (Answer(403, "Forbidden"), Answer(403, "Forbidden")),
    error.ProfileNotEnrolled: (Answer(400, "BadRequest", "IncompleteEnrollment"), Answer(400, "InvalidRequest")),
    error.LocalesDiffer: (Answer(400, "BadRequest", "IncompatibleProfiles"), Answer(400, "InvalidRequest")),
    error.ModelDiffers: (
        Answer(400, "BadRequest", "IncompleteEnrollment"),
        Answer(400, "InvalidRequest", "Profile is not enrolled."),
    ),
    error.ProfileBusy: (Answer(409, "Conflict", "StorageConflict"), Answer(409, "Conflict")),
    error.TooManyProfiles: (Answer(403, "Forbidden"), Answer(403, "Forbidden")),
    error.TooManyGroups: (Answer(403, "Forbidden"), Answer(403, "Forbidden")),
    error.TooManyKeys: (Answer(403, "Forbidden"), Answer(403, "Forbidden")),
    error.TooManyEnrollments: (Answer(403, "Forbidden", "TooManyEnrollments"), Answer(403, "InvalidOperation")),
    error.EnrollmentAudioFull: (Answer(403, "Forbidden", "TooManyEnrollments"), Answer(403, "InvalidRequest")),
    error.TooManyCandidates: (Answer(400, "BadRequest", "InvalidProfileCount"), Answer(400, "InvalidRequest")),
    error.StorageUnavailable: (Answer(503, "ServiceUnavailable"), Answer(503, "ServiceUnavailable")),
    error.ServiceBusy: (Answer(503, "ServiceUnavailable"), Answer(503, "ServiceUnavailable")),
    error.TooManyOpenRecordings: (Answer(429, "TooManyRequests"), Answer(429, "RateLimit")),
    error.RateExceeded: (
        Answer(429, "TooManyRequests"),
        Answer(429, "RateLimit", message="Rate limit is exceeded."),
    ),
    error.TooManyChallenges: (Answer(429, "TooManyRequests"), Answer(429, "RateLimit")),
    error.TooManyWrongKeys: (Answer(429, "TooManyRequests"), Answer(429, "RateLimit")),
    error.SealBroken: (Answer(500, "InternalServerError"), Answer(500, "InternalServerError")),
}

_BAD_SPEAKER: Final = Answer(400, "BadRequest", "SpeakerInvalid")

V1: Final = Catalogue(
    {kind: v1 for kind, (v1, _) in _ANSWERS.items() if v1},
    {("verify", error.ProfileNotFound): _BAD_SPEAKER, ("identify", error.ProfileNotFound): _BAD_SPEAKER},
)
"""Where a parameter, not the path, names a profile that does not exist, v1.0 answers 400."""

PLAIN: Final = Catalogue({kind: v2 for kind, (_, v2) in _ANSWERS.items() if v2})
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
    said = answer.message or _after_token(answer.token, sentence or str(refused))
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


def _after_token(token: str, sentence: str) -> str:
    if not token:
        return sentence
    return f"{token} {sentence}" if token.endswith(".") else f"{token}: {sentence}"
