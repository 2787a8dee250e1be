"""The wire formats of v2.0 (``/speaker/...``, 2020) and 2021-09-05 (``/speaker-recognition/...``).

The second grew out of the first: other paths and envelopes, lengths with a unit in their names, a ``profileStatus``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from shared.domain import limits
from shared.domain.errors import (
    ContinuationInvalid,
    IdMalformed,
    ParameterInvalid,
    ParameterMissing,
    ParameterUnsupported,
    PathUnknown,
    ProfileNotFound,
)
from shared.domain.group import Candidates
from shared.domain.limits import AudioRules
from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.http import request
from shared.http.api import NOBODY, Call, PageRequest
from shared.http.errors import V2 as ERRORS
from shared.http.errors import code_and_message, envelope
from shared.http.groups import among
from shared.http.reply import Reply, date, expires, seconds
from shared.http.v2_refusals import (
    PROFILE_IDS_RULE,
    ProfileIdsMissing,
    lengths_per,
)
from shared.services.enroll import Enrolled, SpeechRules
from shared.services.identify import Identification, RankedProfile
from shared.services.profiles import ProfilePage, canonical_locale
from shared.services.verify import Verification

FAMILY: Final = "{family:regex(^(verification|identification)$)}"
MODE: Final = "{mode:regex(^text-(in)?dependent$)}"
_KINDS: Final = {
    ("verification", "text-dependent"): ProfileKind.TEXT_DEPENDENT_VERIFICATION,
    ("verification", "text-independent"): ProfileKind.TEXT_INDEPENDENT_VERIFICATION,
    ("identification", "text-independent"): ProfileKind.IDENTIFICATION,
}
_UNSUPPORTED: Final = ("$filter", "$skip", "$orderBy", "$delta")


class V2:
    """v2.0. What 2021-09-05 does otherwise is in the attributes below and in ``V2021``."""

    suffix: str = "_v2"
    errors: Final = ERRORS
    same_locale: Final = True
    page_size_name: str = "$top"
    token_name: str = "$continuationToken"  # noqa: S105  the name of a parameter
    next_link_name: str = "@nextLink"
    list_name: str = "profiles"
    unit: str = ""
    phrase_enroll_rules: AudioRules = limits.V2_PHRASE_ENROLL
    _phrase_verify_rules: AudioRules = limits.V2_PHRASE_VERIFY
    _speech_enroll_rules: AudioRules = limits.V2_SPEECH_ENROLL
    _speech_rules: AudioRules = limits.V2_SPEECH
    _short_speech_rules: AudioRules = limits.V2_SHORT_SPEECH

    _prefix: Final = f"speaker/{FAMILY}/v2.0/{MODE}"
    routes: Mapping[str, str] = MappingProxyType(
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
        named = call.path("family").lower(), call.path("mode").lower()
        if named not in _KINDS:
            raise PathUnknown(urlsplit(call.request.url).path)
        return _KINDS[named]

    def profile_key(self, call: Call) -> ProfileKey:
        return call.key(self.kind(call), request.guid(call.path("profileId")))

    def page_request(self, call: Call) -> PageRequest:
        for name in _UNSUPPORTED:
            if call.parameter(name) is not None:
                raise ParameterUnsupported(name)
        token = call.parameter(self.token_name)
        return PageRequest(self._after(token) if token else None, self._page_size(call))

    def _page_size(self, call: Call) -> int:
        rule = f"Value should be positive integer in the range [1, {limits.MAX_PAGE}]."
        received = call.parameter(self.page_size_name)
        return request.whole_number(self.page_size_name, received, rule, limits.MAX_PAGE) or limits.DEFAULT_PAGE

    def _after(self, token: str) -> str:
        """The id in a continuation token of ours."""
        try:
            return request.guid(base64.urlsafe_b64decode(token.encode() + b"==").decode())
        except (IdMalformed, binascii.Error, ValueError) as error:
            raise ContinuationInvalid(self.token_name) from error

    def created(self, call: Call, profile: Profile) -> Reply:
        return Reply(201, self._profile(call, profile), {"Location": location_of(call, profile)})

    def listed(self, call: Call, page: ProfilePage) -> Reply:
        body: dict[str, object] = {self.list_name: [self._profile(call, one) for one in page.profiles]}
        if page.more:
            body[self.next_link_name] = self._next_link(call, page.profiles[-1].key.profile_id)
        return Reply(200, body)

    def _next_link(self, call: Call, last_id: str) -> str:
        kept = {name: value for name, value in call.request.params.items() if name != self.token_name}
        token = base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")
        return f"{_here(call)}?{urlencode({**kept, self.token_name: token}, safe='$')}"

    def shown(self, call: Call, profile: Profile) -> Reply:
        return Reply(200, self._profile(call, profile))

    def refused(self, refusal: Reply) -> Reply:
        """SDKs for JavaScript show ``statusText`` of the body where a verify or identify is refused."""
        code, message = code_and_message(refusal)
        return replace(refusal, body={**envelope(code, message), "statusText": message})

    def deleted(self, work: Callable[[], None]) -> Reply:
        """Deleting what is not there is 204: v2.0 lists no 404 here."""
        with suppress(ProfileNotFound):
            work()
        return Reply(204)

    def was_reset(self, call: Call, profile: Profile) -> Reply:  # noqa: ARG002
        return Reply(204)

    def speech_enroll_rules(self, call: Call) -> SpeechRules:
        return SpeechRules(
            audio=self._speech_enroll_rules,
            needed_speech_seconds=limits.V2_ENROLLMENT_SPEECH_SECONDS,
            max_audio_seconds=limits.MAX_ENROLLMENT_AUDIO_SECONDS,
            at_once=call.flag("ignoreMinLength"),
        )

    def phrase_enrolled(self, call: Call, enrolled: Enrolled) -> Reply:  # noqa: ARG002
        body = {**self._enrollment(enrolled), "passPhrase": enrolled.profile.passphrase}
        return Reply(201, body)

    def speech_enrolled(self, call: Call, work: Callable[[], Enrolled]) -> Reply:  # noqa: ARG002
        with lengths_per("enrollment"):
            return Reply(201, self._enrollment(work()))

    def verify_target(self, call: Call) -> ProfileKey:
        key = self.profile_key(call)
        if key.kind is ProfileKind.IDENTIFICATION:
            raise PathUnknown(urlsplit(call.request.url).path)
        return key

    def verify_rules(self, call: Call, kind: ProfileKind) -> AudioRules:
        """``ignoreMinLength`` is sent to text-dependent calls too, where it means nothing (contract, fact 7)."""
        if kind.needs_phrase:
            return self._phrase_verify_rules
        return self.identify_rules(call)

    def verified(self, call: Call, work: Callable[[], Verification]) -> Reply:
        """A wrong phrase is a reject like a wrong voice."""
        with nullcontext() if self.kind(call).needs_phrase else lengths_per("recognition"):
            decision = work().decision
        return Reply(200, {"recognitionResult": "Accept" if decision.accepted else "Reject", "score": decision.score})

    def candidates(self, call: Call) -> Candidates:
        """``*`` and ``group:<name>`` are Timbre's own."""
        if self.kind(call) is not ProfileKind.IDENTIFICATION:
            raise PathUnknown(urlsplit(call.request.url).path)
        received = call.parameter("profileIds")
        if received is None:
            raise ProfileIdsMissing
        try:
            return among("profileIds", received) or request.guid_list("profileIds", received)
        except (IdMalformed, ParameterMissing) as error:
            raise ParameterInvalid("profileIds", received, PROFILE_IDS_RULE) from error

    def identify_rules(self, call: Call) -> AudioRules:
        return self._short_speech_rules if call.flag("ignoreMinLength") else self._speech_rules

    def identified(self, call: Call, work: Callable[[], Identification]) -> Reply:  # noqa: ARG002
        with lengths_per("recognition"):
            result = work()
        best = result.best
        return Reply(
            200,
            {
                "identifiedProfile": {
                    "profileId": best.profile_id if result.identified else NOBODY,
                    "score": best.decision.score,
                },
                "profilesRanking": [_ranked(one) for one in result.ranking],
            },
        )

    def phrases(self, call: Call) -> Reply:
        kind = self.kind(call)
        locale = canonical_locale(call.path("locale"), kind)
        if kind.needs_phrase:
            return self._phrase_list(
                [{"passPhrase": phrase} for phrase in call.subscription.settings.allowed_phrases(locale)]
            )
        return self._phrase_list(
            [{"activationPhrase": phrase} for phrase in ACTIVATION_PHRASES_BY_LOCALE.get(locale, ())]
        )

    def _phrase_list(self, phrases: list[dict[str, str]]) -> Reply:
        return Reply(200, phrases)

    def _profile(self, call: Call, one: Profile) -> dict[str, object]:
        # A reset profile was last acted on by its reset: nothing else can happen to it before it is enrolled again.
        updated = one.last_enrolled_at or (one.last_action_at if one.epoch else None)
        return {
            "profileId": one.key.profile_id,
            "locale": one.locale,
            **self._activation(one),
            "enrollmentStatus": one.status.value,
            "createdDateTime": date(one.created_at),
            "lastUpdatedDateTime": date(updated) if updated else None,
            **self._counts(one),
            "modelVersion": call.services.model_version(one.model_id) if one.model_id else None,
            **expires(one),
        }

    def _activation(self, one: Profile) -> dict[str, object]:  # noqa: ARG002  v2.0 has no activation
        return {}

    def _counts(self, one: Profile) -> dict[str, object]:
        if one.key.kind.needs_phrase:
            remaining: tuple[str, object] = "remainingEnrollmentsCount", one.remaining_enrollments
        else:
            missing = one.remaining_speech_seconds(limits.V2_ENROLLMENT_SPEECH_SECONDS)
            remaining = f"remainingEnrollmentsSpeechLength{self.unit}", seconds(missing)
        return {
            "enrollmentsCount": one.enrollments_count,
            f"enrollmentsLength{self.unit}": seconds(one.audio_seconds),
            f"enrollmentsSpeechLength{self.unit}": seconds(one.speech_seconds),
            remaining[0]: remaining[1],
        }

    def _enrollment(self, enrolled: Enrolled) -> dict[str, object]:
        return {
            "profileId": enrolled.profile.key.profile_id,
            "enrollmentStatus": enrolled.profile.status.value,
            **self._counts(enrolled.profile),
            f"audioLength{self.unit}": seconds(enrolled.enrollment.audio_seconds),
            f"audioSpeechLength{self.unit}": seconds(enrolled.enrollment.speech_seconds),
        }


def _ranked(one: RankedProfile) -> dict[str, object]:
    return {"profileId": one.profile_id, "score": one.decision.score}


def _here(call: Call) -> str:
    """The request's own URL without its query, on the public base when there is one."""
    return call.base_url + quote(urlsplit(call.request.url).path, safe="/:%")


def location_of(call: Call, profile: Profile) -> str:
    collection, found, _ = _here(call).rstrip("/").rpartition("/profiles")
    return f"{collection}{found}/{profile.key.profile_id}"
