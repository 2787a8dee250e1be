"""Two subscriptions beside each other, one of them with voices of every kind in it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from tests.api.client import KEY_HEADER, TIMEOUT_SECONDS, Answer, Client, Profiles
from tests.service import RunningService
from tests.voices import PASSPORT, STORY, recording, takes

V2021 = "/speaker-recognition/verification/text-independent/profiles"


class PlainClient(Client):
    """Takes answers as they are: what is compared here is one answer with another, not with the description."""

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        key = {KEY_HEADER: self.key} if self.key else {}
        try:
            connection.request(method, path, body=body, headers={**key, **(headers or {})})
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()


def operator(service: RunningService, method: str, path: str, body: object = None) -> Answer:
    """A call of the operator's, with the function key."""
    sent = None if body is None else json.dumps(body).encode()
    headers = {"x-functions-key": service.management_key, "Content-Type": "application/json"}
    return PlainClient(service.url, None).call(method, path, sent, headers)


@dataclass(frozen=True)
class Owner:
    """A subscription and what it owns: a profile of each kind, enrolled, an operation, and the group ``a-group``."""

    client: Client
    by_phrase: str
    by_speech: str
    identified: str
    operation: str

    @property
    def ids(self) -> tuple[str, ...]:
        return self.by_phrase, self.by_speech, self.identified, self.operation


def new_subscription(service: RunningService, **settings: object) -> tuple[str, Client]:
    """Made as an operator makes it; its id, and a client with its primary key."""
    subscription_id = f"tests-{uuid4()}"
    answer = operator(service, "PUT", f"/manage/subscriptions/{subscription_id}", settings)
    assert answer.status == 201, answer.body
    return subscription_id, PlainClient(service.url, answer.json["keys"]["primary"])


def owner(client: Client) -> Owner:
    identification = Profiles(client, "identification")
    identified = identification.create()
    enrolled = identification.enroll(identified, recording(STORY), "?shortAudio=true")
    assert enrolled.status == 202, enrolled.body
    assert client.call("PUT", "/groups/a-group").status in (200, 201)
    return Owner(
        client=client,
        by_phrase=Profiles(client, "verification").enrolled(*takes(PASSPORT)),
        by_speech=_by_speech(client),
        identified=identified,
        operation=enrolled.headers["operation-location"].rpartition("/")[2],
    )


def _by_speech(client: Client) -> str:
    created = client.call("POST", V2021, b'{"locale":"en-us"}', {"Content-Type": "application/json"})
    assert created.status == 201, created.body
    profile_id = str(created.json["profileId"])
    enrolled = client.call("POST", f"{V2021}/{profile_id}/enrollments?ignoreMinLength=true", recording(STORY))
    assert enrolled.status == 201, enrolled.body
    return profile_id
