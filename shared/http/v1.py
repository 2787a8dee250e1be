"""The wire format of v1.0 (``/spid/v1.0``, 2016): paths, JSON names, query parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from shared.domain.errors import LocaleMissing, ParameterMissing, PassphraseNotHeard, ProfileNotFound
from shared.domain.group import Candidates
from shared.domain.limits import (
    V1_ENROLLMENT_SPEECH_SECONDS,
    V1_IDENTIFICATION,
    V1_IDENTIFICATION_ENROLL,
    V1_MAX_ENROLLMENT_AUDIO_SECONDS,
    V1_SHORT_AUDIO,
    V1_VERIFICATION,
    AudioRules,
)
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.http import request
from shared.http.api import NOBODY, Call, PageRequest
from shared.http.errors import V1 as ERRORS
from shared.http.errors import SpeakerUnknown
from shared.http.groups import among
from shared.http.reply import Reply, date, expires, seconds
from shared.services.enroll import Enrolled, SpeechRules
from shared.services.identify import Identification
from shared.services.profiles import ProfilePage, canonical_locale
from shared.services.verify import Verification

PREFIX: Final = "spid/v1.0"
_PROFILES: Final = f"{PREFIX}/{{collection:regex(^(verification|identification)Profiles$)}}"
_KINDS: Final = {
    "verificationprofiles": ProfileKind.TEXT_DEPENDENT_VERIFICATION,
    "identificationprofiles": ProfileKind.IDENTIFICATION,
}
_ID_NAMES: Final = {
    ProfileKind.TEXT_DEPENDENT_VERIFICATION: "verificationProfileId",
    ProfileKind.IDENTIFICATION: "identificationProfileId",
}


class V1:
    """Success is 200 or 202, never 201 or 204: the clients of v1.0 accept nothing else."""

    suffix: Final = ""
    errors: Final = ERRORS
    phrase_enroll_rules: Final = V1_VERIFICATION
    same_locale: Final = False
    routes: Final = MappingProxyType(
        {
            "profiles": _PROFILES,
            "profile": f"{_PROFILES}/{{profileId}}",
            "reset": f"{_PROFILES}/{{profileId}}/reset",
            "enroll": f"{_PROFILES}/{{profileId}}/enroll",
            "verify": f"{PREFIX}/verify",
            "identify": f"{PREFIX}/identify",
            "phrases": f"{PREFIX}/verificationPhrases",
            "operations": f"{PREFIX}/operations/{{operationId}}",
        }
    )

    def kind(self, call: Call) -> ProfileKind:
        """From the path; the route admits nothing else. Literals match in any case, as in the functions host."""
        return _KINDS[call.path("collection").lower()]

    def profile_key(self, call: Call) -> ProfileKey:
        return call.key(self.kind(call), request.guid(call.path("profileId")))

    def page_request(self, call: Call) -> PageRequest:  # noqa: ARG002  v1.0 has no paging
        return PageRequest()

    def created(self, call: Call, profile: Profile) -> Reply:  # noqa: ARG002  v1.0 sends no Location
        return Reply(200, {_ID_NAMES[profile.key.kind]: profile.key.profile_id})

    def listed(self, call: Call, page: ProfilePage) -> Reply:  # noqa: ARG002
        return Reply(200, [_profile(one) for one in page.profiles])

    def shown(self, call: Call, profile: Profile) -> Reply:  # noqa: ARG002
        return Reply(200, _profile(profile))

    def deleted(self, work: Callable[[], None]) -> Reply:
        work()
        return Reply(200)

    def refused(self, refusal: Reply) -> Reply:
        return refusal

    def was_reset(self, call: Call, profile: Profile) -> Reply:  # noqa: ARG002
        return Reply(200)

    def speech_enroll_rules(self, call: Call) -> SpeechRules:
        short_audio = call.flag("shortAudio")
        return SpeechRules(
            audio=V1_SHORT_AUDIO if short_audio else V1_IDENTIFICATION_ENROLL,
            needed_speech_seconds=V1_ENROLLMENT_SPEECH_SECONDS,
            max_audio_seconds=V1_MAX_ENROLLMENT_AUDIO_SECONDS,
            at_once=short_audio,
        )

    def phrase_enrolled(self, call: Call, enrolled: Enrolled) -> Reply:  # noqa: ARG002
        """Note ``remainingEnrollments``, where the profile says ``remainingEnrollmentsCount``."""
        profile = enrolled.profile
        return Reply(
            200,
            {
                "enrollmentStatus": profile.status.value,
                "enrollmentsCount": profile.enrollments_count,
                "remainingEnrollments": profile.remaining_enrollments,
                "phrase": profile.passphrase,
            },
        )

    def speech_enrolled(self, call: Call, work: Callable[[], Enrolled]) -> Reply:
        return _as_operation(call, lambda: _enrollment_result(work()))

    def verify_target(self, call: Call) -> ProfileKey:
        name = _ID_NAMES[ProfileKind.TEXT_DEPENDENT_VERIFICATION]
        named = call.parameter(name)
        if not named:
            raise ParameterMissing(name)
        return call.key(ProfileKind.TEXT_DEPENDENT_VERIFICATION, request.guid(named))

    def verify_rules(self, call: Call, kind: ProfileKind) -> AudioRules:  # noqa: ARG002
        return V1_VERIFICATION

    def verified(self, call: Call, work: Callable[[], Verification]) -> Reply:  # noqa: ARG002
        """A phrase outside the list is a bad request in v1.0; another one of the list is a reject.

        ``score`` goes beyond v1.0: users asked for more than three words.
        """
        with _speakers_named_by_parameter():
            result = work()
        heard = result.heard
        if heard is None or not heard.recognised:
            raise PassphraseNotHeard(heard.phrase if heard else None)
        return Reply(
            200,
            {
                "result": "Accept" if result.decision.accepted else "Reject",
                "confidence": result.decision.confidence.value,
                "phrase": heard.phrase,
                "score": round(result.decision.score, 4),
            },
        )

    def candidates(self, call: Call) -> Candidates:
        """``*`` and ``group:<name>`` go beyond v1.0."""
        name = "identificationProfileIds"
        received = call.parameter(name)
        return among(name, received) or request.guid_list(name, received)

    def identify_rules(self, call: Call) -> AudioRules:
        return V1_SHORT_AUDIO if call.flag("shortAudio") else V1_IDENTIFICATION

    def identified(self, call: Call, work: Callable[[], Identification]) -> Reply:
        with _speakers_named_by_parameter():
            return _as_operation(call, lambda: _identification_result(work()))

    def phrases(self, call: Call) -> Reply:
        received = call.parameter("locale")
        if not received:
            raise LocaleMissing
        locale = canonical_locale(received, ProfileKind.TEXT_DEPENDENT_VERIFICATION)
        return Reply(200, [{"phrase": phrase} for phrase in call.subscription.settings.allowed_phrases(locale)])


def operation(one: Operation) -> Reply:
    """Lower-case ``status``: Python and Android clients compare it exactly."""
    dates = {"createdDateTime": date(one.created_at), "lastActionDateTime": date(one.last_action_at)}
    match one.outcome:
        case EnrollmentResult() as enrolled:
            result = {
                "enrollmentStatus": enrolled.status.value,
                "remainingEnrollmentSpeechTime": seconds(enrolled.remaining_speech_seconds),
                "speechTime": seconds(enrolled.speech_seconds),
                "enrollmentSpeechTime": seconds(enrolled.enrollment_speech_seconds),
            }
        case IdentificationResult() as identified:
            result = {
                "identifiedProfileId": identified.profile_id or NOBODY,
                "confidence": identified.confidence.value,
            }
        case failed:
            return Reply(200, {"status": "failed", **dates, "message": failed.message})
    return Reply(200, {"status": "succeeded", **dates, "processingResult": result})


def _profile(one: Profile) -> dict[str, object]:
    tail = {
        "locale": one.locale,
        "createdDateTime": date(one.created_at),
        "lastActionDateTime": date(one.last_action_at),
        "enrollmentStatus": one.status.value,
        **expires(one),
    }
    named = {_ID_NAMES[one.key.kind]: one.key.profile_id}
    if one.key.kind.needs_phrase:
        counts: dict[str, object] = {
            "enrollmentsCount": one.enrollments_count,
            "remainingEnrollmentsCount": one.remaining_enrollments,
        }
    else:
        counts = {
            "enrollmentSpeechTime": seconds(one.speech_seconds),
            "remainingEnrollmentSpeechTime": seconds(one.remaining_speech_seconds(V1_ENROLLMENT_SPEECH_SECONDS)),
        }
    return {**named, **counts, **tail}


def _enrollment_result(enrolled: Enrolled) -> EnrollmentResult:
    return EnrollmentResult(
        status=enrolled.profile.status,
        speech_seconds=enrolled.enrollment.speech_seconds,
        enrollment_speech_seconds=enrolled.profile.speech_seconds,
        remaining_speech_seconds=enrolled.profile.remaining_speech_seconds(V1_ENROLLMENT_SPEECH_SECONDS),
    )


def _identification_result(result: Identification) -> IdentificationResult:
    identified = result.identified
    return IdentificationResult(
        profile_id=identified.profile_id if identified else None, confidence=result.best.decision.confidence
    )


def _as_operation(call: Call, work: Callable[[], EnrollmentResult | IdentificationResult]) -> Reply:
    done = call.services.operations.run(call.subscription.subscription_id, work)
    return Reply(202, headers={"Operation-Location": _operation_location(call, done)})


def _operation_location(call: Call, one: Operation) -> str:
    """Absolute, nothing behind the id: clients cut it up by hand (contract, fact 10)."""
    return f"{call.base_url}/{PREFIX}/operations/{one.operation_id}"


@contextmanager
def _speakers_named_by_parameter() -> Iterator[None]:
    """An unknown profile in a query parameter is a bad request in v1.0; one in the path is not found."""
    try:
        yield
    except ProfileNotFound as error:
        raise SpeakerUnknown(error.profile_id) from error
