"""What 2021-09-05 (``/speaker-recognition/...``) does otherwise than v2.0, and what Timbre adds to it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from shared.domain import limits
from shared.domain.errors import ParameterInvalid
from shared.domain.profile import Profile, ProfileKind
from shared.http import errors
from shared.http.api import Call
from shared.http.paging import PAGE_NAMES
from shared.http.reply import Reply
from shared.http.v2 import FAMILY, MODE, V2, location_of

API_VERSION: Final = "2021-09-05"


class V2021(V2):
    """Colon verbs in paths, ``value`` as the list's name, lengths ``InSec``, and a body on reset."""

    suffix = "_v2021"
    catalogue = errors.V2021
    absent_delete_is_success = False
    """An unknown profile is 404: a caller who wants a voice gone must learn that the id was wrong (our choice)."""
    page_names = PAGE_NAMES
    list_name = "value"
    unit = "InSec"
    phrase_enroll_rules = limits.V2021_PHRASE_ENROLL
    phrase_verify_rules = limits.V2021_PHRASE_VERIFY
    speech_enroll_rules = limits.V2021_SPEECH_ENROLL
    speech_rules = limits.V2021_SPEECH
    short_speech_rules = limits.V2021_SHORT_SPEECH

    _base: Final = f"speaker-recognition/{FAMILY}/{MODE}"
    routes = MappingProxyType(
        {
            "profiles": f"{_base}/profiles",
            "profile": f"{_base}/profiles/{{profileId}}",
            "reset": f"{_base}/profiles/{{profileId}}:reset",
            "enroll": f"{_base}/profiles/{{profileId}}/enrollments",
            "verify": f"{_base}/profiles/{{profileId}}:verify",
            "identify": f"{_base}/profiles:identifySingleSpeaker",
            "identifyTurns": f"{_base}/profiles:identifyTurns",
            "phrases": f"{_base}/phrases/{{locale}}",
        }
    )

    def kind(self, call: Call) -> ProfileKind:
        """Every operation begins with its kind: the place to look at ``api-version``, too. Absent is fine."""
        received = call.parameter("api-version")
        if received not in (None, "", API_VERSION):
            raise ParameterInvalid("api-version", received or "", f"The supported version is {API_VERSION}.")
        return super().kind(call)

    def write_reset(self, call: Call, profile: Profile) -> Reply:
        return Reply(200, self._profile(call, profile), {"Location": location_of(call, profile)})

    def _phrase_list(self, phrases: list[dict[str, str]]) -> Reply:
        return Reply(200, {"value": phrases})

    def _activation(self, profile: Profile) -> dict[str, object]:
        if profile.key.kind.needs_phrase:
            return {}
        return {"profileStatus": "Active" if profile.is_active else "Inactive"}


class Extension(V2021):
    """What Timbre adds. No client of old knows these calls, so that the plain body of an error is enough.

    Family and mode of a profile are those of 2021-09-05, whichever generation the profile is used with.
    """

    suffix = ""
    catalogue = errors.PLAIN
    routes = MappingProxyType(
        {
            "caller": "caller",
            "settings": "settings",
            "audit": "audit",
            "tokens": "tokens",
            "long_operation": "operations/{operationId}",
            "groups": "groups",
            "group": "groups/{name}",
            "group_member": "groups/{name}/profiles/{profileId}",
            "label": "transcripts:label",
            "challenges": f"profiles/{FAMILY}/{MODE}/{{profileId}}/challenges",
            "consent": f"profiles/{FAMILY}/{MODE}/{{profileId}}/consent",
            "profile_retention": f"profiles/{FAMILY}/{MODE}/{{profileId}}/retention",
        }
    )
