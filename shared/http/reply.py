"""Answers: a status, a JSON body or none, headers; and where the links in them lead."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func

from shared.config import ALLOWED_HOSTS, Config
from shared.domain.errors import HostNotAllowed
from shared.domain.profile import Profile
from shared.domain.times import date

Json = Mapping[str, object] | Sequence[object]

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Text:
    """A body that is no JSON, or was written already."""

    content: str = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class Reply:
    status: int
    body: Json | Text | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, extra_headers: Mapping[str, str]) -> func.HttpResponse:
        headers = {**extra_headers, **self.headers}
        if self.body is None:
            return func.HttpResponse(b"", status_code=self.status, headers=headers)
        text = self.body if isinstance(self.body, Text) else Text(written(self.body), "application/json")
        # With its character set: old clients guess another one.
        headers["Content-Type"] = f"{text.media_type}; charset=utf-8"
        # JSON lets a caller send half a surrogate pair, which has no UTF-8 and may stand in what is repeated.
        return func.HttpResponse(text.content.encode(errors="replace"), status_code=self.status, headers=headers)


def written(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def expires(profile: Profile) -> dict[str, object]:
    """What Timbre adds to a profile in every generation: when it ends; null when it is kept until deleted."""
    return {"expiresDateTime": date(profile.expires_at)}


def seconds(value: float) -> float:
    """Rounded to two decimals as the retired service did, and always a number with a dot."""
    return round(float(value), 2)


def base_url(url: str, config: Config) -> str:
    """Scheme and host that the client can reach; the request's own host only where it is known to be this service.

    ``url`` is the request's, with the Host header that the client sent.
    Raises ``HostNotAllowed`` when that is not known, and no other name is.
    """
    if config.public_url:
        return config.public_url
    parts = urlsplit(url)
    try:
        name, port = (parts.hostname or "").lower(), parts.port
    except ValueError:  # a port that is no number
        name, port = "", None
    known = {*_LOOPBACK, *config.allowed_hosts, (config.own_host or "").lower()} - {""}
    if name in known or f"{name}:{port}" in known:
        host = f"[{name}]" if ":" in name else name
        return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    if config.own_host:
        return f"https://{config.own_host}"
    raise HostNotAllowed(parts.netloc, ALLOWED_HOSTS.name)
