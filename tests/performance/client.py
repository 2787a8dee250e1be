"""The bench's client: one connection that stays open, as a well-made app would keep it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.performance.recordings import Material

WAV, JSON = "audio/wav", "application/json"
LOCALE = b'{"locale":"en-us"}'
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Unexpected(Exception):
    """The service did not do what is being timed, so its time means nothing."""


@dataclass(frozen=True)
class Request:
    """Ready to be sent again and again. ``expected`` are the statuses of a good answer."""

    path: str
    body: bytes = field(default=b"", repr=False)
    content_type: str = WAV
    method: str = "POST"
    expected: Collection[int] = (200, 201, 202, 204)


HEALTH = Request("/health", method="GET")


@dataclass(frozen=True)
class Answer:
    """``status`` is 0 where the connection broke. ``headers`` have lower-case names."""

    status: int
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Every method returns once the whole answer is read. For one thread."""

    def __init__(self, url: str, key: str = "") -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=600)
        self._key = {"Ocp-Apim-Subscription-Key": key}

    def close(self) -> None:
        self._connection.close()

    def answer(self, request: Request) -> Answer:
        """Whatever comes."""
        headers, started = {**self._key, "Content-Type": request.content_type}, time.perf_counter()
        try:
            self._connection.request(request.method, request.path, request.body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except OSError:
            self._connection.close()
            return Answer(0, time.perf_counter() - started)
        seconds = time.perf_counter() - started
        return Answer(response.status, seconds, {name.lower(): value for name, value in response.getheaders()}, content)

    def send(self, request: Request) -> Answer:
        """Raises ``Unexpected`` for any other status than the request expects."""
        answer = self.answer(request)
        if answer.status not in request.expected:
            path = request.path.partition("?")[0]
            raise Unexpected(f"{request.method} {path} answered {answer.status}: {answer.body[:300]!r}")
        return answer

    def create(self, collection: str) -> str:
        answer = self.send(Request(f"/spid/v1.0/{collection}", LOCALE, JSON))
        return str(next(iter(answer.json.values())))

    def outcome(self, accepted: Answer) -> Any:
        """The result of a v1.0 operation. Raises ``Unexpected`` unless it succeeded."""
        operation = self.send(operation_of(accepted)).json
        if operation["status"] != "succeeded":
            raise Unexpected(f"An operation {operation['status']}: {operation.get('message')}")
        return operation["processingResult"]

    def verify(self, request: Request) -> float:
        """Seconds of a v1.0 verification. Raises ``Unexpected`` for a rejection, which would leave the model out."""
        answer = self.send(request)
        if answer.json["result"] != "Accept":
            raise Unexpected("A verification that should be accepted was rejected.")
        return answer.seconds

    def must_identify(self, request: Request) -> None:
        """Raises ``Unexpected`` when nobody is named: noting the use of a profile would be left out then."""
        if self.outcome(self.send(request))["identifiedProfileId"] == _NOBODY:
            raise Unexpected("Nobody was identified in a candidate's speech.")


def operation_of(accepted: Answer) -> Request:
    return Request(urlsplit(accepted.headers["operation-location"]).path, method="GET")


@dataclass(frozen=True)
class Enrolled:
    """v1.0 profiles: ``speaker`` for verification by passphrase, ``candidates`` for identification; ``Material.speech``
    is the first candidate's."""

    speaker: str
    candidates: list[str]

    def verify(self, wav: bytes) -> Request:
        return Request(f"/spid/v1.0/verify?verificationProfileId={self.speaker}", wav)

    def identify(self, wav: bytes) -> Request:
        among = ",".join(self.candidates)
        return Request(f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={among}", wav)


def enroll(client: Client, spoken: Material) -> Enrolled:
    speaker = client.create("verificationProfiles")
    for wav in spoken.phrase_enrollments:
        client.send(Request(f"/spid/v1.0/verificationProfiles/{speaker}/enroll", wav))
    candidates = []
    for wav in spoken.speakers:
        candidates.append(client.create("identificationProfiles"))
        client.outcome(client.send(enrollment(candidates[-1], wav)))
    return Enrolled(speaker, candidates)


def enrollment(profile_id: str, wav: bytes) -> Request:
    return Request(f"/spid/v1.0/identificationProfiles/{profile_id}/enroll?shortAudio=true", wav)
