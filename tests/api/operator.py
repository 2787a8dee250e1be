"""The operator's side as a script uses it: the function key, and subscriptions made for one test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.api.client import Answer, Client

BASE = "/manage/subscriptions"


@dataclass(frozen=True)
class Customer:
    """A subscription of a test's own, and clients with each of its keys."""

    subscription_id: str
    primary: Client
    secondary: Client

    def settings(self, change: Mapping[str, object]) -> Answer:
        return self.primary.call("PATCH", "/settings", json.dumps(change).encode())

    def audit(self, query: str = "") -> Any:
        answer = self.primary.call("GET", f"/audit{query}")
        assert answer.status == 200, answer.body
        return answer.json


@dataclass(frozen=True)
class Operator:
    url: str
    key: str = field(repr=False)

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """``body`` is sent as JSON; ``None`` sends none, bytes go as they are."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"x-functions-key": self.key, **({"Content-Type": "application/json"} if content else {})}
        return Client(self.url, None).call(method, path, content, headers)

    def put(self, subscription_id: str, settings: object = None) -> Answer:
        return self.call("PUT", f"{BASE}/{subscription_id}", settings)

    def get(self, subscription_id: str) -> Answer:
        return self.call("GET", f"{BASE}/{subscription_id}")

    def delete(self, subscription_id: str) -> Answer:
        return self.call("DELETE", f"{BASE}/{subscription_id}")

    def regenerate(self, subscription_id: str, slot: str) -> Answer:
        return self.call("POST", f"{BASE}/{subscription_id}/keys/{slot}/regenerate")

    def customer(self, **settings: object) -> Customer:
        """A new subscription with these settings."""
        subscription_id = f"test-{uuid4()}"
        answer = self.put(subscription_id, settings)
        assert answer.status == 201, answer.body
        keys = answer.json["keys"]
        return Customer(subscription_id, Client(self.url, keys["primary"]), Client(self.url, keys["secondary"]))
