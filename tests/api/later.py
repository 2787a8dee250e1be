"""v2.0 and 2021-09-05 as an app calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.api.client import Answer, Client

VERSION = "api-version=2021-09-05"
TEXT_DEPENDENT = "verification/text-dependent"
TEXT_INDEPENDENT = "verification/text-independent"
IDENTIFICATION = "identification/text-independent"
KINDS = (TEXT_DEPENDENT, TEXT_INDEPENDENT, IDENTIFICATION)


@dataclass(frozen=True)
class Generation:
    """``colon`` stands before a verb in a path; ``unit`` ends the names of lengths."""

    name: str
    colon: str
    unit: str
    list_name: str
    next_link: str
    page_size: str

    def path(self, kind: str, rest: str = "/profiles", query: str = "") -> str:
        """The path of a kind's resource; ``query`` begins with ``&``."""
        family, mode = kind.split("/")
        if self is V2:
            return f"/speaker/{family}/v2.0/{mode}{rest}{'?' + query[1:] if query else ''}"
        return f"/speaker-recognition/{family}/{mode}{rest}?{VERSION}{query}"


V2 = Generation("v2.0", "/", "", "profiles", "@nextLink", "$top")
V2021 = Generation("2021-09-05", ":", "InSec", "value", "nextLink", "maxpagesize")

IDENTIFY = {"v1.0": "/spid/v1.0/identify?shortAudio=true&identificationProfileIds={}"}
"""Generation to the path of an identify with a place for the ids, however short the audio is."""
for later in (V2, V2021):
    verb = f"/profiles{later.colon}identifySingleSpeaker"
    IDENTIFY[later.name] = later.path(IDENTIFICATION, verb, "&ignoreMinLength=true&profileIds={}")


@dataclass(frozen=True)
class Speakers:
    """The profiles of one kind in one generation."""

    client: Client
    generation: Generation
    kind: str

    def create(self, locale: str = "en-us") -> Answer:
        return self.client.send("POST", self.generation.path(self.kind), {"locale": locale})

    def new(self, locale: str = "en-us") -> str:
        answer = self.create(locale)
        assert answer.status == 201, answer.body
        return str(answer.json["profileId"])

    def enroll(self, profile_id: str, audio: bytes, query: str = "") -> Answer:
        return self.call("POST", f"/profiles/{profile_id}/enrollments", audio, query)

    def enrolled(self, *recordings: bytes, locale: str = "en-us") -> str:
        """A new profile with these enrollments, usable however short they are."""
        profile_id = self.new(locale)
        for audio in recordings:
            answer = self.enroll(profile_id, audio, "&ignoreMinLength=true")
            assert answer.status == 201, answer.body
        return profile_id

    def get(self, profile_id: str) -> Answer:
        return self.call("GET", f"/profiles/{profile_id}")

    def show(self, profile_id: str) -> Any:
        answer = self.get(profile_id)
        assert answer.status == 200, answer.body
        return answer.json

    def delete(self, profile_id: str) -> Answer:
        return self.call("DELETE", f"/profiles/{profile_id}")

    def reset(self, profile_id: str) -> Answer:
        return self.call("POST", f"/profiles/{profile_id}{self.generation.colon}reset")

    def verify(self, profile_id: str, audio: bytes, query: str = "&ignoreMinLength=true") -> Answer:
        return self.call("POST", f"/profiles/{profile_id}{self.generation.colon}verify", audio, query)

    def identify(self, profile_ids: str, audio: bytes, query: str = "&ignoreMinLength=true") -> Answer:
        path = f"/profiles{self.generation.colon}identifySingleSpeaker"
        return self.call("POST", path, audio, f"&profileIds={profile_ids}{query}")

    def call(
        self,
        method: str,
        rest: str,
        body: bytes | None = None,
        query: str = "",
        content_type: str = "audio/wav; codecs=audio/pcm",
    ) -> Answer:
        headers = {"Content-Type": content_type} if body is not None else {}
        return self.client.call(method, self.generation.path(self.kind, rest, query), body, headers)
