"""What a generation of the API is: one way to the same use cases.

The handlers in ``functions/`` know operations (create, enroll, verify, ...); a ``Api`` knows how one generation
names them in paths, reads their parameters and writes their results. Profiles are the same in all generations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import azure.functions as func

from shared.bootstrap import Services
from shared.domain.audit import Caller
from shared.domain.errors import BodyNotUnderstood
from shared.domain.group import Candidates
from shared.domain.limits import AudioRules
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription
from shared.http import request as read
from shared.http.errors import Wires
from shared.http.links import base_url
from shared.http.multipart import audio_part, begins_as_recording
from shared.http.reply import Reply
from shared.services.enroll import Enrolled, SpeechRules
from shared.services.identify import Identification
from shared.services.profiles import ProfilePage
from shared.services.verify import Verification

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""Contract: in place of a profile id, in every generation, where the speaker is none of the candidates."""


CHANNEL_RULE: Final = "It should be a whole number: the recording's channels are counted from 1."


@dataclass(frozen=True)
class Call:
    """An authenticated request."""

    request: func.HttpRequest
    caller: Caller
    services: Services
    api: Api

    @property
    def subscription(self) -> Subscription:
        return self.caller.subscription

    @property
    def base_url(self) -> str:
        """For links in the answer. Raises ``HostNotAllowed``."""
        return base_url(self.request.url, self.services.config)

    def path(self, name: str) -> str:
        return str(self.request.route_params[name])

    def parameter(self, name: str) -> str | None:
        return read.parameter(self.request, name)

    def flag(self, name: str) -> bool:
        return read.boolean(name, self.parameter(name))

    def key(self, kind: ProfileKind, profile_id: str) -> ProfileKey:
        return ProfileKey(self.subscription.subscription_id, kind, profile_id)

    def audio(self) -> Audio:
        """The recording in the body, taken out of a multipart form where there is one, and the channel chosen of it.

        Raises ``ParameterInvalid``, ``BodyMissing``, ``BodyTooLarge``, ``BodyNotUnderstood``.
        """
        channel = read.whole_number("channel", self.parameter("channel"), CHANNEL_RULE)
        body = read.body(self.request)
        audio = Audio(*audio_part(body, read.media_type(self.request)), channel)
        if audio.content is body and not begins_as_recording(body) and (coding := read.content_coding(self.request)):
            raise BodyNotUnderstood(
                f"The body is {coding} data, as Content-Encoding says. Send the recording itself, without that header."
            )
        return audio


@dataclass(frozen=True)
class PageRequest:
    """Profiles behind the id ``after``; ``limit`` None asks for all."""

    after: str | None = None
    limit: int | None = None


class Api(Protocol):
    """One generation. Methods that read raise the facts of ``shared.domain.errors``."""

    @property
    def suffix(self) -> str:
        """Behind the names of its functions: each function has a name and a URL of its own."""

    @property
    def routes(self) -> Mapping[str, str]:
        """Function name to route template."""

    @property
    def errors(self) -> Wires: ...

    def refused(self, refusal: Reply) -> Reply:
        """An error as the generation's clients want it, beyond the body that all have in common."""

    def kind(self, call: Call) -> ProfileKind: ...

    def profile_key(self, call: Call) -> ProfileKey:
        """The profile that the path names."""

    def page_request(self, call: Call) -> PageRequest: ...

    def created(self, call: Call, profile: Profile) -> Reply: ...

    def listed(self, call: Call, page: ProfilePage) -> Reply: ...

    def shown(self, call: Call, profile: Profile) -> Reply: ...

    def deleted(self, work: Callable[[], None]) -> Reply:
        """Runs the work."""

    def was_reset(self, call: Call, profile: Profile) -> Reply: ...

    @property
    def phrase_enroll_rules(self) -> AudioRules: ...

    def speech_enroll_rules(self, call: Call) -> SpeechRules: ...

    def phrase_enrolled(self, call: Call, enrolled: Enrolled) -> Reply: ...

    def speech_enrolled(self, call: Call, work: Callable[[], Enrolled]) -> Reply:
        """Runs the work, at once or as an operation."""

    def verify_target(self, call: Call) -> ProfileKey: ...

    def verify_rules(self, call: Call, kind: ProfileKind) -> AudioRules: ...

    def verified(self, call: Call, work: Callable[[], Verification]) -> Reply: ...

    def candidates(self, call: Call) -> Candidates: ...

    def identify_rules(self, call: Call) -> AudioRules: ...

    @property
    def same_locale(self) -> bool:
        """Whether the candidates of one identify must be of one locale."""

    def identified(self, call: Call, work: Callable[[], Identification]) -> Reply:
        """Runs the work, at once or as an operation."""

    def phrases(self, call: Call) -> Reply: ...
