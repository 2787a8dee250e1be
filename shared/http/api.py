"""A generation of the API: how its requests are read, and its answers written.

The handlers in ``functions/`` know operations (create, enroll, verify, ...); an ``Api`` knows how one generation names
them in paths, what their parameters are called, and how results and errors look. Profiles are the same in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from shared.domain.audit import Caller
from shared.domain.errors import BodyNotUnderstood, TimbreError
from shared.domain.page import Page
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription
from shared.http import request
from shared.http.errors import Catalogue
from shared.http.multipart import audio_part, begins_as_recording
from shared.http.reply import Reply
from shared.http.request import Received
from shared.services.enroll import Enrolled, EnrollRequest, EnrollRules
from shared.services.identify import Identification, IdentifyRequest
from shared.services.verify import Verification, VerifyRequest

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""Contract: in place of a profile id, in every generation, where the speaker is none of the candidates."""

CHANNEL_RULE: Final = "It should be a whole number: the recording's channels are counted from 1."


@dataclass(frozen=True)
class Call(Received):
    """An authenticated request. ``operation`` is the name that its handler was registered with."""

    caller: Caller
    api: Api
    operation: str
    received_at: datetime

    @property
    def subscription(self) -> Subscription:
        return self.caller.subscription

    def operation_id(self) -> str:
        """The one that the path names. Raises ``IdMalformed``."""
        return request.guid(self.path("operationId"))

    def flag(self, name: str) -> bool:
        return request.boolean(name, self.parameter(name))

    def challenge(self) -> str | None:
        """The id of the challenge that a verify answers."""
        received = self.parameter("challenge")
        return None if received is None else received.strip().lower()

    def key(self, kind: ProfileKind, profile_id: str) -> ProfileKey:
        """Of a profile that the request names. Raises ``OutsideToken``."""
        self.caller.require_profile(profile_id)
        return ProfileKey(self.subscription.subscription_id, kind, profile_id)

    def audio(self) -> Audio:
        """The recording in the body, taken out of a multipart form where there is one, and the channel chosen of it.

        An unclear wish for details is refused here too, before the recording is worked on.

        Raises ``ParameterInvalid``, ``BodyMissing``, ``BodyTooLarge``, ``BodyNotUnderstood``.
        """
        self.flag("details")
        channel = request.whole_number("channel", self.parameter("channel"), CHANNEL_RULE)
        body = request.body(self.request)
        audio = Audio(*audio_part(body, request.media_type(self.request)), channel)
        if audio.content is body and not begins_as_recording(body) and (coding := request.content_coding(self.request)):
            raise BodyNotUnderstood(
                f"The body is {coding} data, as Content-Encoding says. Send the recording itself, without that header."
            )
        return audio


class Api(Protocol):
    """``read_`` methods raise the errors of ``shared.domain.errors``.

    ``suffix`` stands behind the names of its functions: each function has a name and a URL of its own. ``routes`` leads
    from an operation to a route template.
    """

    suffix: str
    routes: Mapping[str, str]
    catalogue: Catalogue

    def kind(self, call: Call) -> ProfileKind:
        """The kind of profile that the path is about."""

    def enroll_rules(self, call: Call, kind: ProfileKind) -> EnrollRules: ...
    def write_error(self, call: Call, error: TimbreError) -> Reply:
        """For what a handler raised."""

    def read_create(self, call: Call) -> tuple[ProfileKind, str]:
        """What kind of profile, and its locale."""
        return self.kind(call), request.locale(call.request)

    def write_create(self, call: Call, profile: Profile) -> Reply: ...
    def read_list(self, call: Call) -> tuple[ProfileKind, str | None, int | None]:
        """Which kind, behind which id, and how many at most; ``None``: all."""

    def write_list(self, call: Call, page: Page[Profile]) -> Reply: ...
    def read_profile(self, call: Call) -> ProfileKey:
        """The profile that the path names."""
        return call.key(self.kind(call), request.guid(call.path("profileId")))

    def write_profile(self, call: Call, profile: Profile) -> Reply: ...
    def write_delete(self, call: Call) -> Reply: ...
    def write_reset(self, call: Call, profile: Profile) -> Reply: ...
    def read_enroll(self, call: Call) -> EnrollRequest:
        key, audio = self.read_profile(call), call.audio()
        return EnrollRequest(call.caller, key, audio, self.enroll_rules(call, key.kind))

    def write_enroll(self, call: Call, enrolled: Enrolled) -> Reply: ...
    def read_verify(self, call: Call) -> VerifyRequest: ...
    def write_verify(self, call: Call, verification: Verification) -> Reply: ...
    def read_identify(self, call: Call) -> IdentifyRequest: ...
    def write_identify(self, call: Call, identification: Identification) -> Reply: ...
    def read_phrases(self, call: Call) -> tuple[ProfileKind, str]:
        """The kind of profile, and the canonical locale, whose phrases are asked for."""

    def write_phrases(self, call: Call, phrases: tuple[str, ...]) -> Reply: ...
