"""Clients of the service as apps write them: one connection a call, nothing folded, nothing followed."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from tests.api.contract import assert_conforms

PREFIX = "/spid/v1.0"
KEY_HEADER = "Ocp-Apim-Subscription-Key"
TIMEOUT_SECONDS = 120
NOBODY = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "11111111-2222-3333-4444-555555555555"
"""The id of no profile and no operation."""
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SHORT = "?shortAudio=true"
_NUMBERS = count()


def own_address(number: int) -> str:
    return f"198.18.{number // 256 % 256}.{number % 256}"


@dataclass(frozen=True)
class Answer:
    """``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and message. Later generations than v1.0 repeat the message, for SDKs that look for it there."""
        value = self.json
        code, message = value["error"]["code"], value["error"]["message"]
        assert value in (
            {"error": {"code": code, "message": message}},
            {"error": value["error"], "statusText": message},
        )
        return self.status, code, message


@dataclass(frozen=True)
class Client:
    """``key`` None sends none. Every answer is held against openapi.json, unless the client is not ``checked``.

    ``address`` is its own, so that tests that send wrong keys do not use up each other's.
    """

    url: str
    key: str | None = field(repr=False)
    key_header: str = KEY_HEADER
    checked: bool = True
    address: str = field(default_factory=lambda: own_address(next(_NUMBERS)), repr=False)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """An iterable body goes out chunked, unless the headers have a Content-Length."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        key = {self.key_header: self.key} if self.key else {}
        try:
            connection.request(
                method,
                path,
                body=body,
                headers={"Accept": "application/json", "X-Forwarded-For": self.address, **key, **(headers or {})},
            )
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, named, response.read())
        finally:
            connection.close()
        if self.checked:
            assert_conforms(method, path, answer.status, answer.headers, answer.body)
        return answer

    def send(self, method: str, path: str, value: object = None) -> Answer:
        """``value`` goes as JSON; ``None`` sends no body, bytes go as they are."""
        body = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
        return self.call(method, path, body, {"Content-Type": "application/json"} if body else {})

    def get(self, path: str) -> Answer:
        return self.call("GET", PREFIX + path)

    def post(
        self, path: str, body: bytes | Iterable[bytes] | None = None, content_type: str = "application/octet-stream"
    ) -> Answer:
        return self.call("POST", PREFIX + path, body, {"Content-Type": content_type} if body is not None else {})

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", PREFIX + path)


@dataclass(frozen=True)
class Profiles:
    """One of v1.0's two families of profiles: ``verification`` or ``identification``."""

    client: Client
    family: str

    @property
    def path(self) -> str:
        return f"/{self.family}Profiles"

    @property
    def id_name(self) -> str:
        return f"{self.family}ProfileId"

    def create(self, locale: str = "en-us") -> str:
        answer = self.client.send("POST", PREFIX + self.path, {"locale": locale})
        assert answer.status == 200, answer.body
        return str(answer.json[self.id_name])

    def show(self, profile_id: str) -> Any:
        answer = self.client.get(f"{self.path}/{profile_id}")
        assert answer.status == 200, answer.body
        return answer.json

    def list(self) -> dict[str, Any]:
        """Id to profile, in the order of the answer."""
        answer = self.client.get(self.path)
        assert answer.status == 200, answer.body
        return {profile[self.id_name]: profile for profile in answer.json}

    def enroll(self, profile_id: str, audio: bytes, query: str = "") -> Answer:
        return self.client.post(f"{self.path}/{profile_id}/enroll{query}", audio)

    def enrolled(self, *recordings: bytes) -> str:
        """A new profile that can be used, with these enrollments."""
        profile_id = self.create()
        for audio in recordings:
            answer = self.enroll(profile_id, audio, SHORT if self.family == "identification" else "")
            assert answer.status in (200, 202), answer.body
        return profile_id

    def reset(self, profile_id: str) -> Answer:
        return self.client.post(f"{self.path}/{profile_id}/reset")

    def delete(self, profile_id: str) -> Answer:
        return self.client.delete(f"{self.path}/{profile_id}")


def verify(client: Client, profile_id: str, audio: bytes, query: str = "") -> Answer:
    return client.post(f"/verify?verificationProfileId={profile_id}{query}", audio)


def operation(client: Client, accepted: Answer) -> Any:
    """The operation behind a 202."""
    assert accepted.status == 202, accepted.body
    answer = client.call("GET", urlsplit(accepted.headers["operation-location"]).path)
    assert answer.status == 200, answer.body
    return answer.json


def ask_to_identify(client: Client, candidates: str, audio: bytes, query: str = "&shortAudio=true") -> Answer:
    return client.post(f"/identify?identificationProfileIds={candidates}{query}", audio)


def identify(client: Client, profile_ids: Iterable[str], audio: bytes, query: str = "&shortAudio=true") -> Any:
    """The operation that an identification has become."""
    return operation(client, ask_to_identify(client, ",".join(profile_ids), audio, query))


def identified(client: Client, profile_ids: Iterable[str], audio: bytes, query: str = "&shortAudio=true") -> str:
    """The id of the speaker, or ``NOBODY``."""
    return str(identify(client, profile_ids, audio, query)["processingResult"]["identifiedProfileId"])
