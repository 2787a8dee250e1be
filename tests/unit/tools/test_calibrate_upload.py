"""The upload against a real server on this machine."""

from __future__ import annotations

import json

import pytest

from tests.azure.front import Asked, Given, answering
from tools.calibration.upload import UploadRefused, upload

CHANGE: dict[str, object] = {"thresholds": {"verification": 0.7}}


def test_settings_are_patched_with_the_key() -> None:
    calls: list[Asked] = []

    def settings(request: Asked) -> Given:
        calls.append(request)
        return Given(200, b"{}")

    with answering(settings) as url:
        upload(f"{url}/", "secret", CHANGE)
    (call,) = calls
    assert (call.method, call.path, call.headers["ocp-apim-subscription-key"]) == ("PATCH", "/settings", "secret")
    assert json.loads(call.body) == CHANGE


def test_a_refusal_repeats_what_the_service_said_and_not_the_key() -> None:
    with (
        answering(lambda _: Given(400, b'{"error": "no such field"}')) as url,
        pytest.raises(UploadRefused, match=r"answered 400.*no such field") as refused,
    ):
        upload(url, "secret", CHANGE)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [("http://127.0.0.1:9", "cannot be reached"), ("file:///etc/passwd", "no http or https address")],
)
def test_nobody_listening_and_other_addresses_are_said(url: str, message: str) -> None:
    with pytest.raises(UploadRefused, match=message):
        upload(url, "secret", {})
