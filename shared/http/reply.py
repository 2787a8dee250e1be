"""Answers: a status, a JSON body or none, headers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import azure.functions as func

from shared.domain.profile import Profile

Json = Mapping[str, object] | Sequence[object]


@dataclass(frozen=True)
class Reply:
    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, extra_headers: Mapping[str, str]) -> func.HttpResponse:
        headers = {**extra_headers, **self.headers}
        if self.body is None:
            return func.HttpResponse(b"", status_code=self.status, headers=headers)
        # JSON lets a caller send half a surrogate pair, which has no UTF-8 and may stand in what a refusal repeats.
        content = json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        # With its character set: old clients guess another one.
        headers["Content-Type"] = "application/json; charset=utf-8"
        return func.HttpResponse(content, status_code=self.status, headers=headers)


def date(moment: datetime) -> str:
    """``2020-01-29T22:48:17.007Z``: with a fraction always, as Android clients parse with a fixed pattern."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def expires(profile: Profile) -> dict[str, object]:
    """What Timbre adds to a profile in every generation: when it ends; null when it is kept until deleted."""
    return {"expiresDateTime": date(profile.expires_at) if profile.expires_at else None}


def seconds(value: float) -> float:
    """Rounded to two decimals as the retired service did, and always a number with a dot."""
    return round(float(value), 2)
