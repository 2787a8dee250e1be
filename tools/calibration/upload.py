"""Reads a subscription's settings from the service, and sends what was found as its own."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final

from shared.domain.calibration import SiteCalibration, calibration_from_json

SECONDS: Final = 30.0


class UploadRefused(Exception):
    """The service did not take it; the message says what it answered. The key is in no message."""


@dataclass(frozen=True)
class Stored:
    """A subscription's threshold for verification, and its own calibration or ``None``."""

    threshold: float
    calibration: SiteCalibration | None


def settings_in_force(url: str, key: str) -> Stored:
    """``GET /settings``. Raises ``UploadRefused``."""
    stored = json.loads(_asked(url, key, "GET", None))
    site = stored["calibration"]
    own = site and SiteCalibration(site["modelId"], calibration_from_json("calibration", site["values"]))
    return Stored(float(stored["thresholds"]["verification"]), own)


def upload(url: str, key: str, settings: dict[str, object]) -> None:
    """``PATCH /settings`` with, for example, ``{"thresholds": {"verification": 0.62}}``. Raises ``UploadRefused``."""
    _asked(url, key, "PATCH", json.dumps(settings).encode("utf-8"))


def _asked(url: str, key: str, method: str, body: bytes | None) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise UploadRefused(f"{url} is no http or https address.")
    if not key:
        raise UploadRefused("Give the subscription's key with --key or in TIMBRE_KEY.")
    request = urllib.request.Request(  # noqa: S310 (the scheme is checked above)
        f"{url.rstrip('/')}/settings",
        data=body,
        method=method,
        headers={"Content-Type": "application/json", "Ocp-Apim-Subscription-Key": key},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            said = refused.read(2000).decode("utf-8", "replace")
        raise UploadRefused(f"Nothing was changed: the service answered {refused.code}: {_message(said)}") from None
    except (OSError, ValueError) as failed:
        raise UploadRefused(f"{url} cannot be reached ({type(failed).__name__}: {failed}).") from None


def _message(said: str) -> str:
    """What an error of the service says; anything else as it is."""
    try:
        return str(json.loads(said)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return said
