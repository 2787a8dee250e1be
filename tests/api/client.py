"""A client of v1.0 as an app writes one: one connection a call, nothing folded, nothing followed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.api.contract import assert_conforms

PREFIX = "/spid/v1.0"
KEY_HEADER = "Ocp-Apim-Subscription-Key"
TIMEOUT_SECONDS = 120


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
        """Status, code and message; every error has exactly this body."""
        value = json.loads(self.body)
        assert set(value) == {"error"}
        assert set(value["error"]) == {"code", "message"}
        return self.status, value["error"]["code"], value["error"]["message"]


@dataclass(frozen=True)
class Client:
    """``key`` None sends none."""

    url: str
    key: str | None = field(repr=False)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """An iterable body goes out chunked, unless the headers have a Content-Length.

        Every answer is held against openapi.json.
        """
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        sent = {"Accept": "application/json", **({KEY_HEADER: self.key} if self.key else {}), **(headers or {})}
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, named, response.read())
        finally:
            connection.close()
        assert_conforms(method, path, answer.status, answer.headers, answer.body)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", PREFIX + path, headers=headers)

    def post(
        self, path: str, body: bytes | Iterable[bytes] | None = None, content_type: str = "application/octet-stream"
    ) -> Answer:
        headers = {"Content-Type": content_type} if body is not None else {}
        return self.call("POST", PREFIX + path, body, headers)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", PREFIX + path)


@dataclass(frozen=True)
class Profiles:
    """One of the two families of profiles: ``verification`` or ``identification``."""

    client: Client
    family: str

    @property
    def path(self) -> str:
        return f"/{self.family}Profiles"

    @property
    def id_name(self) -> str:
        return f"{self.family}ProfileId"

    def create(self, locale: str = "en-us") -> str:
        answer = self.client.post(self.path, json.dumps({"locale": locale}).encode(), "application/json")
        assert answer.status == 200, answer.body
        return str(answer.json[self.id_name])

    def show(self, profile_id: str) -> Any:
        answer = self.client.get(f"{self.path}/{profile_id}")
        assert answer.status == 200, answer.body
        return answer.json

    def enroll(self, profile_id: str, audio: bytes, query: str = "") -> Answer:
        return self.client.post(f"{self.path}/{profile_id}/enroll{query}", audio)

    def enrolled(self, *recordings: bytes, query: str = "") -> str:
        """A new profile with these enrollments."""
        profile_id = self.create()
        for audio in recordings:
            answer = self.enroll(profile_id, audio, query)
            assert answer.status in (200, 202), answer.body
        return profile_id


def operation(client: Client, accepted: Answer) -> Any:
    """The operation behind a 202."""
    assert accepted.status == 202, accepted.body
    location = urlsplit(accepted.headers["operation-location"])
    answer = client.call("GET", location.path)
    assert answer.status == 200, answer.body
    return answer.json


def identify(client: Client, profile_ids: Iterable[str], audio: bytes, query: str = "&shortAudio=true") -> Any:
    """The outcome of an identification: the operation that it became."""
    path = f"/identify?identificationProfileIds={','.join(profile_ids)}{query}"
    return operation(client, client.post(path, audio))
