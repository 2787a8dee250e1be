"""Calls from a page of another origin: preflight and readable headers."""

from __future__ import annotations

import pytest

from tests.api.client import PREFIX, Client

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"


@pytest.mark.parametrize(
    "path",
    [
        "/verificationProfiles",
        f"/verificationProfiles/{ID}",
        f"/verificationProfiles/{ID}/enroll",
        f"/identificationProfiles/{ID}/reset",
        f"/identificationProfiles/{ID}/enroll?shortAudio=true",
        f"/verify?verificationProfileId={ID}",
        f"/identify?identificationProfileIds={ID}",
        "/verificationPhrases?locale=en-US",
        f"/operations/{ID}",
    ],
)
def test_a_preflight_needs_no_key_and_allows_the_key_header(api: Client, path: str) -> None:
    asked = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "ocp-apim-subscription-key,content-type",
    }
    answer = Client(api.url, None).call("OPTIONS", PREFIX + path, headers=asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"ocp-apim-subscription-key", "content-type"} <= allowed
    methods = {name.strip() for name in answer.headers["access-control-allow-methods"].split(",")}
    assert {"GET", "POST", "DELETE"} <= methods


def test_every_answer_may_be_read_by_the_page(api: Client) -> None:
    for answer in (
        api.get("/verificationPhrases?locale=en-US"),
        api.get(f"/verificationProfiles/{ID}"),
        Client(api.url, None).get("/verificationProfiles"),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert {"operation-location", "apim-request-id", "retry-after"} <= exposed


def test_every_answer_has_a_request_id_of_its_own(api: Client) -> None:
    ids = {api.get("/verificationPhrases?locale=en-US").headers["apim-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(len(one) == 36 for one in ids)
