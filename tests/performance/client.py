"""The bench's client: one connection that stays open, as a well-made app would keep it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.performance.recordings import Material

WAV = "audio/wav"
JSON = "application/json"
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Unexpected(Exception):
    """The service did not do what is being timed, so its time means nothing."""


@dataclass(frozen=True)
class Answer:
    """``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Client:
    """Every method returns once the whole answer is read. Raises ``Unexpected``. For one thread."""

    def __init__(self, url: str, key: str, key_header: str = "Ocp-Apim-Subscription-Key") -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=600)
        self._key = {key_header: key}
        self.requests = 0

    def close(self) -> None:
        self._connection.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        expected: Collection[int],
        content_type: str = WAV,
    ) -> Answer:
        started = time.perf_counter()
        self._connection.request(method, path, body, {**self._key, "Content-Type": content_type})
        response = self._connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        self.requests += 1
        if response.status not in expected:
            raise Unexpected(f"{method} {path.split('?')[0]} answered {response.status}: {content[:300]!r}")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, content, seconds)

    def health(self) -> float:
        """Seconds."""
        return self.send("GET", "/health", expected=(200,)).seconds

    def create(self, collection: str) -> str:
        path = f"/spid/v1.0/{collection}"
        answer = self.send("POST", path, b'{"locale":"en-us"}', expected=(200,), content_type=JSON)
        return str(next(iter(json.loads(answer.body).values())))

    def enroll_phrase(self, profile_id: str, wav: bytes) -> float:
        path = f"/spid/v1.0/verificationProfiles/{profile_id}/enroll"
        return self.send("POST", path, wav, expected=(200,)).seconds

    def enroll_speech(self, profile_id: str, wav: bytes) -> float:
        path = f"/spid/v1.0/identificationProfiles/{profile_id}/enroll?shortAudio=true"
        answer = self.send("POST", path, wav, expected=(202,))
        self._outcome(answer)
        return answer.seconds

    def verify(self, profile_id: str, wav: bytes) -> float:
        """Seconds of an accepted verification: a rejected one would leave the model out."""
        path = f"/spid/v1.0/verify?verificationProfileId={profile_id}"
        answer = self.send("POST", path, wav, expected=(200,))
        if json.loads(answer.body)["result"] != "Accept":
            raise Unexpected("A verification that should be accepted was rejected.")
        return answer.seconds

    def identify(self, profile_ids: list[str], wav: bytes) -> Answer:
        path = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={','.join(profile_ids)}"
        return self.send("POST", path, wav, expected=(202,))

    def identified(self, answer: Answer) -> str | None:
        """Who an identify found, asked for at its operation."""
        found = str(self._outcome(answer)["identifiedProfileId"])
        return None if found == _NOBODY else found

    def _outcome(self, answer: Answer) -> dict[str, object]:
        operation = json.loads(self.send("GET", operation_path(answer), expected=(200,)).body)
        if operation["status"] != "succeeded":
            raise Unexpected(f"An operation {operation['status']}: {operation.get('message')}")
        return dict(operation["processingResult"])


def operation_path(accepted: Answer) -> str:
    return urlsplit(accepted.headers["operation-location"]).path


@dataclass(frozen=True)
class Enrolled:
    speaker: str
    """Text-dependent verification profile."""
    candidates: list[str]
    """Identification profiles; ``Material.speech`` is the first one's."""
    first_seconds: float
    """The service's very first enrollment: it opens everything that is lazy."""


def enroll(client: Client, spoken: Material) -> Enrolled:
    speaker = client.create("verificationProfiles")
    times = [client.enroll_phrase(speaker, wav) for wav in spoken.phrase_enrollments]
    candidates = []
    for wav in spoken.speakers:
        candidates.append(client.create("identificationProfiles"))
        client.enroll_speech(candidates[-1], wav)
    return Enrolled(speaker, candidates, times[0])
