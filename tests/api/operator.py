"""The operator's side as a script uses it: the function key, and subscriptions made for one test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from tests.api.client import UNKNOWN, Answer, Client, Profiles
from tests.api.later import TEXT_INDEPENDENT, V2021, Speakers
from tests.voices import PASSPORT, STORY, recording, takes

BASE = "/manage/subscriptions"
DEFAULTS = {
    "retention": {"maxAgeDays": None, "maxIdleDays": None},
    "thresholds": {"verification": 0.5, "identification": 0.5},
    "passphrases": {},
    "activationPhrases": {},
    "quality": {},
    "enrollmentCohesion": True,
    "calibration": None,
    "recordRecognitions": None,
    "requireChallenge": False,
    "replay": {"action": "off", "days": 30.0},
    "details": "rounded",
}
"""The settings that a new subscription shows to its customer."""


@dataclass(frozen=True)
class Customer:
    """A subscription of a test's own, and clients with each of its keys."""

    subscription_id: str
    primary: Client
    secondary: Client

    @property
    def verification(self) -> Profiles:
        return Profiles(self.primary, "verification")

    @property
    def identification(self) -> Profiles:
        return Profiles(self.primary, "identification")

    @property
    def unchecked(self) -> Client:
        """A client whose answers need not be described: they are compared with each other."""
        return replace(self.primary, checked=False)

    def settings(self, change: Mapping[str, object]) -> Answer:
        return self.primary.send("PATCH", "/settings", change)

    def audit(self, query: str = "?maxpagesize=500") -> Any:
        answer = self.primary.call("GET", f"/audit{query}")
        assert answer.status == 200, answer.body
        return answer.json

    def trail(self) -> list[dict[str, Any]]:
        """The records of changes, the oldest first."""
        records: list[dict[str, Any]] = self.audit()["value"]
        return records


@dataclass(frozen=True)
class Operator:
    url: str
    key: str = field(repr=False)

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """``body`` is sent as JSON; ``None`` sends none, bytes go as they are."""
        return Client(self.url, self.key, "x-functions-key").send(method, path, body)

    def put(self, subscription_id: str, settings: object = None) -> Answer:
        return self.call("PUT", f"{BASE}/{subscription_id}", settings)

    def get(self, subscription_id: str) -> Answer:
        return self.call("GET", f"{BASE}/{subscription_id}")

    def delete(self, subscription_id: str) -> Answer:
        return self.call("DELETE", f"{BASE}/{subscription_id}")

    def regenerate(self, subscription_id: str, name: str) -> Answer:
        return self.call("POST", f"{BASE}/{subscription_id}/keys/{name}/regenerate")

    def keys(self, subscription_id: str) -> Answer:
        return self.call("GET", f"{BASE}/{subscription_id}/keys")

    def put_key(self, subscription_id: str, name: str, body: object) -> Answer:
        return self.call("PUT", f"{BASE}/{subscription_id}/keys/{name}", body)

    def delete_key(self, subscription_id: str, name: str) -> Answer:
        return self.call("DELETE", f"{BASE}/{subscription_id}/keys/{name}")

    def customer(self, **settings: object) -> Customer:
        """A new subscription with these settings."""
        subscription_id = f"test-{uuid4()}"
        answer = self.put(subscription_id, settings)
        assert answer.status == 201, answer.body
        keys = answer.json["keys"]
        return Customer(subscription_id, Client(self.url, keys["primary"]), Client(self.url, keys["secondary"]))


@dataclass(frozen=True)
class Owner:
    """A client and what is its own: an enrolled profile of each kind, an operation, and the group ``a-group``; perhaps
    an operation on a long recording."""

    client: Client
    by_phrase: str
    by_speech: str
    identified: str
    operation: str
    long_operation: str = UNKNOWN

    @property
    def ids(self) -> tuple[str, ...]:
        return self.by_phrase, self.by_speech, self.identified, self.operation, self.long_operation


def owner(client: Client) -> Owner:
    identification = Profiles(client, "identification")
    identified = identification.create()
    enrolled = identification.enroll(identified, recording(STORY), "?shortAudio=true")
    assert enrolled.status == 202, enrolled.body
    assert client.call("PUT", "/groups/a-group").status in (200, 201)
    return Owner(
        client=client,
        by_phrase=Profiles(client, "verification").enrolled(*takes(PASSPORT)),
        by_speech=Speakers(client, V2021, TEXT_INDEPENDENT).enrolled(recording(STORY)),
        identified=identified,
        operation=enrolled.headers["operation-location"].rpartition("/")[2],
    )
