"""v2.0 (``/speaker/...``, 2020), out of which 2021-09-05 grew (``v2021.py``)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from shared.domain import limits
from shared.domain.errors import (
    AudioTooLong,
    AudioTooShort,
    IdMalformed,
    ParameterInvalid,
    ParameterMissing,
    ParameterUnsupported,
    PathUnknown,
    ProfileNotFound,
    TimbreError,
)
from shared.domain.group import Candidates
from shared.domain.limits import AudioRules
from shared.domain.page import Page
from shared.domain.profile import Profile, ProfileKind
from shared.domain.times import date
from shared.http import errors, request
from shared.http.api import NOBODY, Api, Call
from shared.http.details import details, details_wanted, score_for
from shared.http.paging import PageNames, own_url, read_page, write_page
from shared.http.reply import Reply, expires, seconds
from shared.services.enroll import Enrolled, EnrollRules
from shared.services.identify import Identification, IdentifyRequest
from shared.services.profiles import canonical_locale
from shared.services.verify import Verification, VerifyRequest

FAMILY: Final = "{family:regex(^(verification|identification)$)}"
MODE: Final = "{mode:regex(^text-(in)?dependent$)}"
_KINDS: Final = {
    ("verification", "text-dependent"): ProfileKind.TEXT_DEPENDENT_VERIFICATION,
    ("verification", "text-independent"): ProfileKind.TEXT_INDEPENDENT_VERIFICATION,
    ("identification", "text-independent"): ProfileKind.IDENTIFICATION,
}
_UNSUPPORTED: Final = ("$filter", "$skip", "$orderBy", "$delta")
_LENGTHS_PER: Final = {
    "enroll": "enrollment",
    "verify": "recognition",
    "identify": "recognition",
    "identifyTurns": "recognition",
}
"""What kind of request an operation is, in refusals of lengths."""

_PROFILE_IDS_RULE: Final = "It should be comma-delimited list of IDs containing at least one ID."


class V2(Api):
    """What 2021-09-05 does otherwise is in the attributes below and in ``V2021``."""

    suffix = "_v2"
    catalogue = errors.V2
    absent_delete_is_success: bool = True
    page_names: PageNames = PageNames("$top", "$continuationToken", "@nextLink")
    list_name: str = "profiles"
    unit: str = ""
    phrase_enroll_rules: AudioRules = limits.V2_PHRASE_ENROLL
    phrase_verify_rules: AudioRules = limits.V2_PHRASE_VERIFY
    speech_enroll_rules: AudioRules = limits.V2_SPEECH_ENROLL
    speech_rules: AudioRules = limits.V2_SPEECH
    short_speech_rules: AudioRules = limits.V2_SHORT_SPEECH

    _prefix: Final = f"speaker/{FAMILY}/v2.0/{MODE}"
    routes = MappingProxyType(
        {
            "profiles": f"{_prefix}/profiles",
            "profile": f"{_prefix}/profiles/{{profileId}}",
            "reset": f"{_prefix}/profiles/{{profileId}}/reset",
            "enroll": f"{_prefix}/profiles/{{profileId}}/enrollments",
            "verify": f"{_prefix}/profiles/{{profileId}}/verify",
            "identify": f"{_prefix}/profiles/identifySingleSpeaker",
            "phrases": f"{_prefix}/phrases/{{locale}}",
        }
    )

    def kind(self, call: Call) -> ProfileKind:
        path = call.path("family").lower(), call.path("mode").lower()
        if path not in _KINDS:
            raise PathUnknown(urlsplit(call.request.url).path)
        return _KINDS[path]

    def enroll_rules(self, call: Call, kind: ProfileKind) -> EnrollRules:
        if kind.needs_phrase:
            return EnrollRules(self.phrase_enroll_rules)
        return EnrollRules(
            audio=self.speech_enroll_rules,
            needed_speech_seconds=limits.V2_ENROLLMENT_SPEECH_SECONDS,
            max_audio_seconds=limits.MAX_ENROLLMENT_AUDIO_SECONDS,
            at_once=call.flag("ignoreMinLength"),
        )

    def write_error(self, call: Call, error: TimbreError) -> Reply:
        """Deleting what is not there is 204: v2.0 lists no 404 here."""
        is_delete = call.operation == "profile" and call.request.method == "DELETE"
        if self.absent_delete_is_success and is_delete and isinstance(error, ProfileNotFound):
            return self.write_delete(call)
        sentence = ""
        if isinstance(error, AudioTooShort | AudioTooLong) and not self.kind(call).needs_phrase:
            sentence = errors.length_sentence(error, _LENGTHS_PER[call.operation])
        return errors.reply(error, self.catalogue, call.operation, sentence)

    def write_create(self, call: Call, profile: Profile) -> Reply:
        return Reply(201, self._profile(call, profile), {"Location": location_of(call, profile)})

    def read_list(self, call: Call) -> tuple[ProfileKind, str | None, int | None]:
        for name in _UNSUPPORTED:
            if call.parameter(name) is not None:
                raise ParameterUnsupported(name)
        after, limit = read_page(call, request.PROFILE_ID, self.page_names)
        return self.kind(call), after, limit

    def write_list(self, call: Call, page: Page[Profile]) -> Reply:
        return Reply(200, write_page(call, page, partial(self._profile, call), self.list_name, self.page_names))

    def write_profile(self, call: Call, profile: Profile) -> Reply:
        return Reply(200, self._profile(call, profile))

    def write_delete(self, call: Call) -> Reply:
        return Reply(204)

    def write_reset(self, call: Call, profile: Profile) -> Reply:
        return Reply(204)

    def write_enroll(self, call: Call, enrolled: Enrolled) -> Reply:
        profile, enrollment = enrolled.profile, enrolled.enrollment
        body = {
            "profileId": profile.key.profile_id,
            "enrollmentStatus": profile.status.value,
            **self._counts(profile),
            f"audioLength{self.unit}": seconds(enrollment.audio_seconds),
            f"audioSpeechLength{self.unit}": seconds(enrollment.speech_seconds),
        }
        phrase = {"passPhrase": profile.passphrase} if profile.key.kind.needs_phrase else {}
        return Reply(201, {**body, **phrase, **details(call, enrolled.explanation)})

    def read_verify(self, call: Call) -> VerifyRequest:
        key = self.read_profile(call)
        if key.kind is ProfileKind.IDENTIFICATION:
            raise PathUnknown(urlsplit(call.request.url).path)
        audio, rules = call.audio(), self._verify_rules(call, key.kind)
        threshold = request.threshold(call.request)
        return VerifyRequest(call.subscription, key, audio, rules, threshold, call.challenge(), details_wanted(call))

    def write_verify(self, call: Call, verification: Verification) -> Reply:
        """A wrong phrase is a reject like a wrong voice."""
        decision = verification.decision
        result = {"recognitionResult": "Accept" if decision.accepted else "Reject"}
        score = {"score": score_for(call, decision.score)}
        return Reply(200, {**result, **score, **details(call, verification.explanation)})

    def read_identify(self, call: Call) -> IdentifyRequest:
        candidates, rules, audio = candidates_of(call), self._speech_rules(call), call.audio()
        threshold = request.threshold(call.request)
        return IdentifyRequest(call.subscription, candidates, audio, rules, threshold, same_locale=True)

    def write_identify(self, call: Call, identification: Identification) -> Reply:
        best = identification.best
        identified = {"profileId": best.profile_id if identification.identified else NOBODY}
        ranking = [
            {"profileId": ranked.profile_id, "score": score_for(call, ranked.decision.score)}
            for ranked in identification.ranking
        ]
        score = {"score": score_for(call, best.decision.score)}
        body = {"identifiedProfile": {**identified, **score}, "profilesRanking": ranking}
        return Reply(200, {**body, **details(call, identification.explanation)})

    def read_phrases(self, call: Call) -> tuple[ProfileKind, str]:
        kind = self.kind(call)
        return kind, canonical_locale(call.path("locale"))

    def write_phrases(self, call: Call, phrases: tuple[str, ...]) -> Reply:
        name = "passPhrase" if self.kind(call).needs_phrase else "activationPhrase"
        return self._phrase_list([{name: phrase} for phrase in phrases])

    def _phrase_list(self, phrases: list[dict[str, str]]) -> Reply:
        return Reply(200, phrases)

    def _speech_rules(self, call: Call) -> AudioRules:
        """``ignoreMinLength`` is sent to text-dependent calls too, where it means nothing (contract, fact 7)."""
        return self.short_speech_rules if call.flag("ignoreMinLength") else self.speech_rules

    def _verify_rules(self, call: Call, kind: ProfileKind) -> AudioRules:
        """Digits are said in less than the least speech of a verify, and in less than a minute."""
        if call.challenge() is None:
            return self.phrase_verify_rules if kind.needs_phrase else self._speech_rules(call)
        rules = self.phrase_verify_rules if kind.needs_phrase else self.short_speech_rules
        return replace(rules, max_seconds=limits.MAX_CHALLENGE_AUDIO_SECONDS)

    def _profile(self, call: Call, profile: Profile) -> dict[str, object]:
        # A reset profile was last acted on by its reset: nothing else can happen to it before it is enrolled again.
        updated = profile.last_enrolled_at or (profile.last_action_at if profile.epoch else None)
        return {
            "profileId": profile.key.profile_id,
            "locale": profile.locale,
            **self._activation(profile),
            "enrollmentStatus": profile.status.value,
            "createdDateTime": date(profile.created_at),
            "lastUpdatedDateTime": date(updated) if updated else None,
            **self._counts(profile),
            "modelVersion": call.services.models.version(profile.model_id),
            **expires(profile),
        }

    def _activation(self, profile: Profile) -> dict[str, object]:
        return {}

    def _counts(self, profile: Profile) -> dict[str, object]:
        if profile.key.kind.needs_phrase:
            remaining: dict[str, object] = {"remainingEnrollmentsCount": profile.remaining_enrollments}
        else:
            missing = profile.remaining_speech_seconds(limits.V2_ENROLLMENT_SPEECH_SECONDS)
            remaining = {f"remainingEnrollmentsSpeechLength{self.unit}": seconds(missing)}
        return {
            "enrollmentsCount": profile.enrollments_count,
            f"enrollmentsLength{self.unit}": seconds(profile.audio_seconds),
            f"enrollmentsSpeechLength{self.unit}": seconds(profile.speech_seconds),
            **remaining,
        }


def candidates_of(call: Call) -> Candidates:
    """Of an identify. Raises ``PathUnknown``, ``ParameterMissing``, ``ParameterInvalid``."""
    if call.api.kind(call) is not ProfileKind.IDENTIFICATION:
        raise PathUnknown(urlsplit(call.request.url).path)
    received = call.parameter("profileIds")
    if received is None:
        raise ParameterMissing("profileIds", _PROFILE_IDS_RULE)
    try:
        return request.candidates("profileIds", received)
    except (IdMalformed, ParameterMissing) as error:
        raise ParameterInvalid("profileIds", received, _PROFILE_IDS_RULE) from error


def location_of(call: Call, profile: Profile) -> str:
    collection, separator, _ = own_url(call).rstrip("/").rpartition("/profiles")
    return f"{collection}{separator}/{profile.key.profile_id}"
