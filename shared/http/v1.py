"""The wire format of v1.0 (``/spid/v1.0``, 2016): paths, JSON names, query parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.domain.errors import ProfileNotFound
from shared.domain.limits import V1_ENROLLMENT_SPEECH_SECONDS
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.http import request
from shared.http.endpoint import Call
from shared.http.errors import SpeakerUnknown
from shared.http.reply import date, seconds
from shared.services.enroll import Enrolled
from shared.services.identify import Identification
from shared.services.verify import Verification

PREFIX = "spid/v1.0"
COLLECTION = "{collection:regex(^(verification|identification)Profiles$)}"
NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Family:
    """One of the two families of profiles that v1.0 knows, and how it writes them."""

    kind: ProfileKind
    id_name: str


VERIFICATION = Family(ProfileKind.TEXT_DEPENDENT_VERIFICATION, "verificationProfileId")
IDENTIFICATION = Family(ProfileKind.IDENTIFICATION, "identificationProfileId")
_FAMILIES = {"verificationprofiles": VERIFICATION, "identificationprofiles": IDENTIFICATION}


def family(call: Call) -> Family:
    """From the path. The route admits nothing else; literals match in any case, as in the functions host."""
    return _FAMILIES[call.path("collection").lower()]


def profile_key(call: Call) -> ProfileKey:
    """The profile that the path names. Raises ``IdMalformed``."""
    return key(call, family(call), request.guid(call.path("profileId")))


def key(call: Call, of: Family, profile_id: str) -> ProfileKey:
    return ProfileKey(call.subscription.subscription_id, of.kind, profile_id)


@contextmanager
def speakers_named_by_parameter() -> Iterator[None]:
    """An unknown profile in a query parameter is a bad request in v1.0; one in the path is not found."""
    try:
        yield
    except ProfileNotFound as error:
        raise SpeakerUnknown(error.profile_id) from error


def profile(one: Profile) -> dict[str, object]:
    tail = {
        "locale": one.locale,
        "createdDateTime": date(one.created_at),
        "lastActionDateTime": date(one.last_action_at),
        "enrollmentStatus": one.status.value,
    }
    if one.key.kind.needs_phrase:
        return {
            "verificationProfileId": one.key.profile_id,
            "enrollmentsCount": one.enrollments_count,
            "remainingEnrollmentsCount": one.remaining_enrollments,
            **tail,
        }
    return {
        "identificationProfileId": one.key.profile_id,
        "enrollmentSpeechTime": seconds(one.speech_seconds),
        "remainingEnrollmentSpeechTime": seconds(one.remaining_speech_seconds(V1_ENROLLMENT_SPEECH_SECONDS)),
        **tail,
    }


def verification_enrollment(enrolled: Enrolled) -> dict[str, object]:
    """Note ``remainingEnrollments``, where the profile says ``remainingEnrollmentsCount``."""
    return {
        "enrollmentStatus": enrolled.profile.status.value,
        "enrollmentsCount": enrolled.profile.enrollments_count,
        "remainingEnrollments": enrolled.profile.remaining_enrollments,
        "phrase": enrolled.profile.passphrase,
    }


def verification(result: Verification) -> dict[str, object]:
    """``score`` and ``threshold`` go beyond v1.0: users asked for more than three words."""
    return {
        "result": "Accept" if result.decision.accepted else "Reject",
        "confidence": result.decision.confidence.value,
        "phrase": result.heard.phrase,
        "score": round(result.decision.score, 4),
    }


def enrollment_result(enrolled: Enrolled) -> EnrollmentResult:
    return EnrollmentResult(
        status=enrolled.profile.status,
        speech_seconds=enrolled.enrollment.speech_seconds,
        enrollment_speech_seconds=enrolled.profile.speech_seconds,
        remaining_speech_seconds=enrolled.profile.remaining_speech_seconds(V1_ENROLLMENT_SPEECH_SECONDS),
    )


def identification_result(result: Identification) -> IdentificationResult:
    identified = result.identified
    return IdentificationResult(
        profile_id=identified.profile_id if identified else None, confidence=result.best.decision.confidence
    )


def operation(one: Operation) -> dict[str, object]:
    """Lower-case ``status``: Python and Android clients compare it exactly."""
    dates = {"createdDateTime": date(one.created_at), "lastActionDateTime": date(one.last_action_at)}
    match one.outcome:
        case EnrollmentResult() as enrolled:
            return {"status": "succeeded", **dates, "processingResult": _enrollment_outcome(enrolled)}
        case IdentificationResult() as identified:
            return {"status": "succeeded", **dates, "processingResult": _identification_outcome(identified)}
        case failed:
            return {"status": "failed", **dates, "message": failed.message}


def _enrollment_outcome(result: EnrollmentResult) -> dict[str, object]:
    return {
        "enrollmentStatus": result.status.value,
        "remainingEnrollmentSpeechTime": seconds(result.remaining_speech_seconds),
        "speechTime": seconds(result.speech_seconds),
        "enrollmentSpeechTime": seconds(result.enrollment_speech_seconds),
    }


def _identification_outcome(result: IdentificationResult) -> dict[str, object]:
    return {"identifiedProfileId": result.profile_id or NOBODY, "confidence": result.confidence.value}


def operation_location(call: Call, one: Operation) -> str:
    """Absolute, nothing behind the id: clients cut it up by hand (``api-contract``, trap 10)."""
    base = call.services.config.public_url
    if not base:
        here = urlsplit(call.request.url)
        base = f"{here.scheme}://{here.netloc}"
    return f"{base}/{PREFIX}/operations/{one.operation_id}"
