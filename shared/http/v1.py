"""v1.0 (``/spid/v1.0``, 2016): paths, JSON names, query parameters, and operations to ask for later."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from shared.domain.errors import (
    LocaleMissing,
    ModelDiffers,
    NobodyEnrolled,
    ParameterMissing,
    PassphraseNotHeard,
    ProfileNotEnrolled,
    TimbreError,
)
from shared.domain.limits import (
    V1_ENROLLMENT_SPEECH_SECONDS,
    V1_IDENTIFICATION,
    V1_IDENTIFICATION_ENROLL,
    V1_MAX_ENROLLMENT_AUDIO_SECONDS,
    V1_SHORT_AUDIO,
    V1_VERIFICATION,
)
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation, OperationFailed
from shared.domain.page import Page
from shared.domain.profile import Profile, ProfileKind
from shared.domain.times import date
from shared.http import errors, request
from shared.http.api import NOBODY, Api, Call
from shared.http.details import details, details_kept, details_wanted, kept_details, score_for
from shared.http.reply import Reply, expires, seconds
from shared.services.enroll import Enrolled, EnrollRules
from shared.services.identify import Identification, IdentifyRequest
from shared.services.profiles import canonical_locale
from shared.services.verify import Verification, VerifyRequest

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
_NOT_ENROLLED: Final = (ProfileNotEnrolled, NobodyEnrolled, ModelDiffers)
"""What fails an operation, as it did in Azure; every other error is answered at once, and no operation is stored."""


class V1(Api):
    """Success is 200 or 202, never 201 or 204: the clients of v1.0 accept nothing else."""

    suffix = ""
    catalogue = errors.V1
    routes = MappingProxyType(
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

    def enroll_rules(self, call: Call, kind: ProfileKind) -> EnrollRules:
        if kind.needs_phrase:
            return EnrollRules(V1_VERIFICATION)
        short_audio = call.flag("shortAudio")
        return EnrollRules(
            audio=V1_SHORT_AUDIO if short_audio else V1_IDENTIFICATION_ENROLL,
            needed_speech_seconds=V1_ENROLLMENT_SPEECH_SECONDS,
            max_audio_seconds=V1_MAX_ENROLLMENT_AUDIO_SECONDS,
            at_once=short_audio,
        )

    def write_error(self, call: Call, error: TimbreError) -> Reply:
        is_operation = call.operation == "identify" or (call.operation == "enroll" and not self.kind(call).needs_phrase)
        if is_operation and isinstance(error, _NOT_ENROLLED):
            return _write_operation(call, OperationFailed(f"IncompleteEnrollment: {error}"))
        return errors.reply(error, self.catalogue, call.operation)

    def write_create(self, call: Call, profile: Profile) -> Reply:
        """v1.0 sends no Location."""
        return Reply(200, {_ID_NAMES[profile.key.kind]: profile.key.profile_id})

    def read_list(self, call: Call) -> tuple[ProfileKind, str | None, int | None]:
        """v1.0 has no paging."""
        return self.kind(call), None, None

    def write_list(self, call: Call, page: Page[Profile]) -> Reply:
        return Reply(200, [_profile(profile) for profile in page.items])

    def write_profile(self, call: Call, profile: Profile) -> Reply:
        return Reply(200, _profile(profile))

    def write_delete(self, call: Call) -> Reply:
        return Reply(200)

    def write_reset(self, call: Call, profile: Profile) -> Reply:
        return Reply(200)

    def write_enroll(self, call: Call, enrolled: Enrolled) -> Reply:
        """Note ``remainingEnrollments``, where the profile says ``remainingEnrollmentsCount``."""
        profile, enrollment = enrolled.profile, enrolled.enrollment
        if not profile.key.kind.needs_phrase:
            remaining = profile.remaining_speech_seconds(V1_ENROLLMENT_SPEECH_SECONDS)
            kept = kept_details(call, enrolled.explanation)
            spoken = enrollment.speech_seconds, profile.speech_seconds
            result = EnrollmentResult(profile.status, *spoken, remaining, kept)
            return _write_operation(call, result)
        return Reply(
            200,
            {
                "enrollmentStatus": profile.status.value,
                "enrollmentsCount": profile.enrollments_count,
                "remainingEnrollments": profile.remaining_enrollments,
                "phrase": profile.passphrase,
                **details(call, enrolled.explanation),
            },
        )

    def read_verify(self, call: Call) -> VerifyRequest:
        name = _ID_NAMES[ProfileKind.TEXT_DEPENDENT_VERIFICATION]
        profile_id = call.parameter(name)
        if not profile_id:
            raise ParameterMissing(name)
        key = call.key(ProfileKind.TEXT_DEPENDENT_VERIFICATION, request.guid(profile_id))
        audio, threshold = call.audio(), request.threshold(call.request)
        return VerifyRequest(
            call.subscription, key, audio, V1_VERIFICATION, threshold, call.challenge(), details_wanted(call)
        )

    def write_verify(self, call: Call, verification: Verification) -> Reply:
        """A phrase outside the list is a bad request in v1.0; another phrase of the list, or one by
        example, is a reject.

        ``score`` goes beyond v1.0: users asked for more than three words. Where a challenge was answered, ``phrase`` is
        empty. Raises ``PassphraseNotHeard``.
        """
        heard, decision = verification.heard, verification.decision
        if heard and not (heard.recognised or heard.by_example):
            refused = PassphraseNotHeard(heard.phrase)
            refused.explanation = verification.explanation
            raise refused
        return Reply(
            200,
            {
                "result": "Accept" if decision.accepted else "Reject",
                "confidence": decision.confidence.value,
                "phrase": heard.phrase if heard else "",
                "score": round(score_for(call, decision.score), 4),
                **details(call, verification.explanation),
            },
        )

    def read_identify(self, call: Call) -> IdentifyRequest:
        name = "identificationProfileIds"
        candidates = request.candidates(name, call.parameter(name))
        rules = V1_SHORT_AUDIO if call.flag("shortAudio") else V1_IDENTIFICATION
        audio = call.audio()
        return IdentifyRequest(call.subscription, candidates, audio, rules, request.threshold(call.request))

    def write_identify(self, call: Call, identification: Identification) -> Reply:
        identified, confidence = identification.identified, identification.best.decision.confidence
        kept = kept_details(call, identification.explanation)
        result = IdentificationResult(identified.profile_id if identified else None, confidence, kept)
        return _write_operation(call, result)

    def read_phrases(self, call: Call) -> tuple[ProfileKind, str]:
        kind, locale = ProfileKind.TEXT_DEPENDENT_VERIFICATION, call.parameter("locale")
        if not locale:
            raise LocaleMissing
        return kind, canonical_locale(locale)

    def write_phrases(self, call: Call, phrases: tuple[str, ...]) -> Reply:
        return Reply(200, [{"phrase": phrase} for phrase in phrases])


def write_operation(call: Call, operation: Operation) -> Reply:
    """Lower-case ``status``: Python and Android clients compare it exactly."""
    dates = {"createdDateTime": date(operation.created_at), "lastActionDateTime": date(operation.last_action_at)}
    match operation.outcome:
        case EnrollmentResult() as enrolled:
            result: dict[str, object] = {
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
    result |= details_kept(call, operation.outcome.details)
    return Reply(200, {"status": "succeeded", **dates, "processingResult": result})


def _write_operation(call: Call, outcome: EnrollmentResult | IdentificationResult | OperationFailed) -> Reply:
    """Stores the outcome. Nothing stands behind the id in the link: clients cut it up by hand (contract, fact 10)."""
    operation = call.services.operations.record(call.subscription.subscription_id, call.received_at, outcome)
    return Reply(202, headers={"Operation-Location": f"{call.base_url}/{PREFIX}/operations/{operation.operation_id}"})


def _profile(profile: Profile) -> dict[str, object]:
    if profile.key.kind.needs_phrase:
        counts: dict[str, object] = {
            "enrollmentsCount": profile.enrollments_count,
            "remainingEnrollmentsCount": profile.remaining_enrollments,
        }
    else:
        remaining = profile.remaining_speech_seconds(V1_ENROLLMENT_SPEECH_SECONDS)
        counts = {
            "enrollmentSpeechTime": seconds(profile.speech_seconds),
            "remainingEnrollmentSpeechTime": seconds(remaining),
        }
    return {
        _ID_NAMES[profile.key.kind]: profile.key.profile_id,
        **counts,
        "locale": profile.locale,
        "createdDateTime": date(profile.created_at),
        "lastActionDateTime": date(profile.last_action_at),
        "enrollmentStatus": profile.status.value,
        **expires(profile),
    }
