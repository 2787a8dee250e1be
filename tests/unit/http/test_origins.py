"""Which pages may read an answer: every page, or those of named origins and nobody else."""

from __future__ import annotations

import asyncio

import azure.functions as func
import pytest

from functions import profiles
from shared.http import origins
from shared.http.endpoint import ROUTES
from tests.in_process import stream_request

APP = "https://app.example.com"


def preflight(origin: str | None) -> func.HttpResponse:
    assert profiles.__name__  # its routes are there
    asked = {"Origin": origin} if origin else {}
    return asyncio.run(_ask(asked))


async def _ask(headers: dict[str, str]) -> func.HttpResponse:
    return await ROUTES[0].answering(stream_request("OPTIONS", "/x", headers)[0])


@pytest.fixture
def only_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "_allowed", lambda: frozenset({APP, "http://127.0.0.1:3000"}))


@pytest.mark.parametrize("origin", [None, APP])
def test_by_default_every_page_may(origin: str | None) -> None:
    answer = preflight(origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.usefixtures("only_the_app")
def test_a_named_origin_may_and_is_repeated() -> None:
    headers = preflight(APP).headers
    assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (APP, "Origin")
    assert "Authorization" in headers["Access-Control-Allow-Headers"].split(", ")
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.usefixtures("only_the_app")
@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", f"{APP}.evil.example", "http://app.example.com"]
)
def test_nobody_else_may(origin: str | None) -> None:
    answer = preflight(origin)
    assert (answer.status_code, answer.headers["Vary"]) == (204, "Origin")
    assert not [name for name, _ in answer.headers.items() if name.lower().startswith("access-control")]
