"""The app's own table of its routes, and the function for every other path."""

from __future__ import annotations

import asyncio

import azure.functions as func
import pytest

from functions.public import elsewhere, single_slashes
from shared.http.endpoint import Route
from shared.http.uploads import StreamRequest
from tests.in_process import stream_request

FAMILY = "{family:regex(^(verification|identification)$)}"


async def answer(request: StreamRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=200)


def values(template: str, path: str) -> dict[str, str] | None:
    return Route(template, frozenset({"GET"}), answer).values(path)


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("spid/v1.0/verify", "spid/v1.0/verify", {}),
        ("spid/v1.0/verify", "SPID/V1.0/Verify/", {}),
        ("spid/v1.0/verify", "spid/v1x0/verify", None),
        ("profiles/{id}", "profiles/7", {"id": "7"}),
        ("profiles/{id}", "profiles/a%20b", {"id": "a b"}),
        ("profiles/{id}", "profiles/7/reset", None),
        ("profiles/{id}", "profiles/", None),
        ("profiles/{id}:reset", "profiles/7:reset", {"id": "7"}),
        ("profiles/{id}:reset", "profiles/7", None),
        (f"speaker/{FAMILY}/profiles", "speaker/Verification/profiles", {"family": "Verification"}),
        (f"speaker/{FAMILY}/profiles", "speaker/verifications/profiles", None),
    ],
)
def test_what_a_template_takes(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert values(template, path) == expected


@pytest.mark.parametrize(
    ("path", "expected"), [("//a/b", "/a/b"), ("/a///b/", "/a/b/"), ("/a/b", "/a/b"), ("//", "/"), ("", "")]
)
def test_each_run_of_slashes_is_one(path: str, expected: str) -> None:
    assert single_slashes(path) == expected


def test_a_path_that_no_route_takes_is_404_in_json() -> None:
    async def ask() -> func.HttpResponse:
        return await elsewhere(stream_request("GET", "/nothing?x=1")[0])

    response = asyncio.run(ask())
    assert response.status_code == 404
    assert response.get_body() == b'{"error":{"code":"NotFound","message":"There is nothing at /nothing."}}'
