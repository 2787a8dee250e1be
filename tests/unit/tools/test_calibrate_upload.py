"""The upload against a real server on this machine."""

from __future__ import annotations

import pytest

from tests.azure.front import Given, answering
from tools.calibration.upload import UploadRefused, upload

CHANGE: dict[str, object] = {"thresholds": {"verification": 0.7}}


@pytest.mark.parametrize(
    "body", [b'{"error": {"code": "InvalidArgument", "message": "no such field"}}', b"no such field"]
)
def test_a_refusal_repeats_what_the_service_said_and_not_the_key(body: bytes) -> None:
    with (
        answering(lambda _: Given(400, body)) as url,
        pytest.raises(UploadRefused, match=r"^Nothing was changed: the service answered 400: no such field$"),
    ):
        upload(url, "secret", CHANGE)


@pytest.mark.parametrize(
    ("url", "key", "message"),
    [
        ("http://127.0.0.1:9", "secret", "cannot be reached"),
        ("file:///etc/passwd", "secret", "no http or https address"),
        ("http://127.0.0.1:9", "", "TIMBRE_KEY"),
    ],
)
def test_nobody_listening_other_addresses_and_no_key_are_said(url: str, key: str, message: str) -> None:
    with pytest.raises(UploadRefused, match=message):
        upload(url, key, {})
