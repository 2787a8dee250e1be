"""A managed identity as App Service offers it (protocol 2019-08-01): tokens for whoever has the header's secret."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.azure.front import Asked, Front, Given, given_json

CLIENT_ID = "c0ffee00-0000-4000-8000-000000000001"
DAY_SECONDS = 86_400
SHORT_SECONDS = 200
"""A token that is never used twice: the SDKs ask anew when 300 s are left, less a jitter of 60 s."""


@dataclass
class Identity:
    """``client_id`` ``None``: the machine's own identity. ``lifetime`` of new tokens in seconds."""

    client_id: str | None = CLIENT_ID
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    lifetime: int = DAY_SECONDS
    tokens: list[str] = field(default_factory=list, repr=False)
    front: Front = field(init=False)

    def __post_init__(self) -> None:
        self.front = Front(self._answer)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.front.port}/msi/token",
            "IDENTITY_HEADER": self.secret,
        }

    def _answer(self, asked: Asked) -> Given:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        if asked.headers.get("x-identity-header") != self.secret:
            return given_json(401, {"statusCode": 401, "message": "The secret is wrong."})
        if query.get("client_id") != self.client_id or query.get("api-version") != "2019-08-01":
            return given_json(400, {"statusCode": 400, "message": "No identity of that client id."})
        token, until = self.token(query["resource"])
        answer = {"access_token": token, "expires_on": str(until), "resource": query["resource"]}
        return given_json(200, answer | {"token_type": "Bearer"})

    def token(self, resource: str) -> tuple[str, int]:
        """A token and when it ends. Azurite looks at issuer, audience and times, and at no signature."""
        now = int(time.time())
        claims = {
            "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
            "aud": resource.rstrip("/"),
            "nbf": now - 60,
            "iat": now - 60,
            "exp": now + self.lifetime,
            "jti": secrets.token_hex(16),
        }
        token = ".".join((_part({"alg": "RS256", "typ": "JWT"}), _part(claims), _encoded(secrets.token_bytes(32))))
        self.tokens.append(token)
        return token, now + self.lifetime


def _part(value: object) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
