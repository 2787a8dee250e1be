"""Which pages of other origins may read an answer. Keys are in headers, so cookies are never allowed."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from shared import config

KEY_HEADER: Final = "Ocp-Apim-Subscription-Key"

_EXPOSED: Final = {
    "Access-Control-Expose-Headers": "Operation-Location, Location, Retry-After, apim-request-id, x-ms-error-code",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": f"{KEY_HEADER}, Authorization, Content-Type, Accept, apim-request-id",
    "Access-Control-Max-Age": "86400",
}
"""The key comes in a header of its own, so every call of a page is preceded by a preflight. That one carries no key, so
origins are the deployment's and not a subscription's."""


def cors_headers(origin: str | None) -> dict[str, str]:
    """Of an answer to a request with this ``Origin``."""
    allowed = _allowed()
    if "*" in allowed:
        return {"Access-Control-Allow-Origin": "*", **_EXPOSED}
    if origin is None or origin.lower() not in allowed:
        return {"Vary": "Origin"}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **_EXPOSED}


def preflight_headers(origin: str | None) -> dict[str, str]:
    headers = cors_headers(origin)
    return {**headers, **_PREFLIGHT} if "Access-Control-Allow-Origin" in headers else headers


@cache
def _allowed() -> frozenset[str]:
    return config.origins(os.environ)
