"""The calls of the HTTP API that enrolling takes (2021-09-05), and how long to be patient with them."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

API: Final = "api-version=2021-09-05"
KINDS: Final = {
    "identification": "identification/text-independent",
    "verification": "verification/text-dependent",
    "text-independent": "verification/text-independent",
}
SECONDS: Final = 180.0
ATTEMPTS: Final = 30
LONGEST_WAIT: Final = 60.0


class Unusable(Exception):
    """The run cannot go on: a wrong key, nobody there, or a service that stays busy."""


@dataclass(frozen=True)
class Answer:
    """``status`` 0: no answer came, and nobody knows whether the request was taken."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    retry_after: float | None = None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def unsure(self) -> bool:
        """Whether the service may have done it all the same."""
        return self.status == 0 or self.status >= 500

    @property
    def again(self) -> bool:
        """Another request held this one up; 408 and 429 too are no word about the request itself."""
        return self.unsure or self.status in (408, 409, 429)

    @property
    def error(self) -> tuple[str, str]:
        """Code and message."""
        said = self.body.get("error")
        return (str(said.get("code", "")), str(said.get("message", ""))) if isinstance(said, dict) else ("", "")


@dataclass(frozen=True)
class Service:
    url: str
    key: str = field(repr=False)
    kind: str
    rest: Callable[[float], None] = time.sleep

    def send(self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> Answer:
        """Once. Raises ``Unusable`` for a key that does not open the service."""
        request = urllib.request.Request(  # noqa: S310 - the command checks the scheme
            f"{self.url.rstrip('/')}/{path}", data=body, method=method, headers={"Ocp-Apim-Subscription-Key": self.key}
        )
        if body is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return Answer(answer.status, _json(answer.read()))
        except urllib.error.HTTPError as refusal:
            with refusal:
                found = Answer(refusal.code, _json(refusal.read()), _seconds(refusal.headers.get("Retry-After")))
            if found.status == 401:
                raise Unusable(f"The key was refused: {found.error[1]}") from None
            return found
        except (OSError, ValueError):
            return Answer(0, {})

    def wait(self, answer: Answer, attempt: int) -> None:
        """As long as the service says, else longer each time. Raises ``Unusable`` when it was too often."""
        if attempt >= ATTEMPTS:
            raise Unusable(
                f"The service answered {answer.status or 'nothing'} {attempt} times in a row: run this again later."
            )
        backoff = min(LONGEST_WAIT, 0.5 * 2 ** min(attempt, 10))
        self.rest(min(LONGEST_WAIT, answer.retry_after if answer.retry_after is not None else backoff))

    def asked(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Again until there is an answer; for what may be done twice. Raises ``Unusable``."""
        for attempt in range(1, ATTEMPTS + 2):
            answer = self.send(method, path, body)
            if not answer.again:
                return answer
            self.wait(answer, attempt)
        raise AssertionError("unreachable")

    def profile(self, profile_id: str) -> Answer:
        return self.asked("GET", self._profiles(profile_id))

    def create(self, locale: str) -> Answer:
        """Once: a lost answer leaves a profile behind that nobody knows."""
        return self.send("POST", self._profiles(), json.dumps({"locale": locale}).encode())

    def enroll(self, profile_id: str, audio: bytes) -> Answer:
        """Once."""
        return self.send("POST", self._profiles(f"{profile_id}/enrollments"), audio, "audio/wav; codecs=audio/pcm")

    def consent(self, profile_id: str, statement: str) -> Answer:
        body = json.dumps({"statementId": statement, "channel": "import"}).encode()
        return self.asked("PUT", f"profiles/{KINDS[self.kind]}/{profile_id}/consent", body)

    def _profiles(self, rest: str = "") -> str:
        return f"speaker-recognition/{KINDS[self.kind]}/profiles{'/' if rest else ''}{rest}?{API}"


def _json(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None
