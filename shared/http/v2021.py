"""What 2021-09-05 does otherwise than v2.0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from shared.domain import limits
from shared.domain.errors import ParameterInvalid
from shared.domain.profile import Profile, ProfileKind
from shared.http.api import Call
from shared.http.errors import code_and_message
from shared.http.reply import Reply
from shared.http.v2 import FAMILY, MODE, V2, location_of

API_VERSION: Final = "2021-09-05"


class V2021(V2):
    """Colon verbs in paths, ``value`` as the list's name, lengths ``InSec``, and a body on reset."""

    suffix = "_v2021"
    page_size_name = "maxpagesize"
    token_name = "continuationToken"  # noqa: S105  the name of a parameter
    next_link_name = "nextLink"
    list_name = "value"
    unit = "InSec"
    phrase_enroll_rules = limits.V2021_PHRASE_ENROLL
    _phrase_verify_rules = limits.V2021_PHRASE_VERIFY
    _speech_enroll_rules = limits.V2021_SPEECH_ENROLL
    _speech_rules = limits.V2021_SPEECH
    _short_speech_rules = limits.V2021_SHORT_SPEECH

    _base: Final = f"speaker-recognition/{FAMILY}/{MODE}"
    routes = MappingProxyType(
        {
            "profiles": f"{_base}/profiles",
            "profile": f"{_base}/profiles/{{profileId}}",
            "reset": f"{_base}/profiles/{{profileId}}:reset",
            "enroll": f"{_base}/profiles/{{profileId}}/enrollments",
            "verify": f"{_base}/profiles/{{profileId}}:verify",
            "identify": f"{_base}/profiles:identifySingleSpeaker",
            "phrases": f"{_base}/phrases/{{locale}}",
        }
    )

    def kind(self, call: Call) -> ProfileKind:
        """Every operation begins with its kind: the place to look at ``api-version``, too. Absent is fine."""
        received = call.parameter("api-version")
        if received not in (None, "", API_VERSION):
            raise ParameterInvalid("api-version", received or "", f"The supported version is {API_VERSION}.")
        return super().kind(call)

    def refused(self, refusal: Reply) -> Reply:
        code, _ = code_and_message(refusal)
        return super().refused(replace(refusal, headers={**refusal.headers, "x-ms-error-code": code}))

    def deleted(self, work: Callable[[], None]) -> Reply:
        """An unknown profile is 404: who wants a voice gone must learn that the id was wrong (our choice)."""
        work()
        return Reply(204)

    def was_reset(self, call: Call, profile: Profile) -> Reply:
        return Reply(200, self._profile(call, profile), {"Location": location_of(call, profile)})

    def _phrase_list(self, phrases: list[dict[str, str]]) -> Reply:
        return Reply(200, {"value": phrases})

    def _activation(self, one: Profile) -> dict[str, object]:
        if one.key.kind.needs_phrase:
            return {}
        return {"profileStatus": "Active" if one.is_active else "Inactive"}
