"""Sends what was found to the service as the subscription's settings."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Final

SECONDS: Final = 30.0


class UploadRefused(Exception):
    """The service did not take it; the message says what it answered. The key is in no message."""


def upload(url: str, key: str, settings: dict[str, object]) -> None:
    """``PATCH /settings`` with, for example, ``{"thresholds": {"verification": 0.62}}``. Raises ``UploadRefused``."""
    if not url.startswith(("http://", "https://")):
        raise UploadRefused(f"{url} is no http or https address.")
    request = urllib.request.Request(  # noqa: S310 (the scheme is checked above)
        f"{url.rstrip('/')}/settings",
        data=json.dumps(settings).encode("utf-8"),
        method="PATCH",
        headers={"Content-Type": "application/json", "Ocp-Apim-Subscription-Key": key},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return
    except urllib.error.HTTPError as refused:
        with refused:
            said = refused.read(2000).decode("utf-8", "replace")
        raise UploadRefused(f"The service answered {refused.code}: {said}") from None
    except (OSError, ValueError) as failed:
        raise UploadRefused(f"{url} cannot be reached ({type(failed).__name__}: {failed}).") from None
