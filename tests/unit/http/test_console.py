"""The console's files: from a fixed list, under a strict policy, and only where they are switched on."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import azure.functions as func
import pytest

from functions.public import console, console_file, root
from shared import config
from shared.http import console as files
from shared.http.streams import Answering
from tests.in_process import stream_request

FOLDER = Path(__file__).parents[3] / "console"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src blob:; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'"
)
ELSEWHERE = re.compile(r"""https?://(?!www\.w3\.org/2000/svg)|\b(?:src|href|action)="/|["'`]/[a-z]""")
"""An address of another host, or one that a path prefix would break."""
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|\bstyle=|\son\w+=")


@pytest.fixture(params=["", "/voice"])
def prefix(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a gateway; the console is switched on."""
    monkeypatch.setattr(files, "is_on", lambda: True)
    return str(request.param)


def ask(answering: Answering, path: str, **route_params: str) -> func.HttpResponse:
    async def answer() -> func.HttpResponse:
        return await answering(stream_request("GET", path, route_params=route_params)[0])

    return asyncio.run(answer())


def file(name: str, prefix: str = "") -> func.HttpResponse:
    return ask(console_file, f"{prefix}/console/{name}", file=name)


@pytest.mark.parametrize("name", files.FILES)
def test_each_file_comes_with_its_type_and_the_strict_headers(prefix: str, name: str) -> None:
    answer = file(name, prefix)
    assert (answer.status_code, answer.get_body()) == (200, (FOLDER / name).read_bytes())
    wanted = {
        "content-type": files.FILES[name],
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "microphone=(self)",
        "cache-control": "no-store",
    }
    assert {header: answer.headers[header] for header in wanted} == wanted


def test_the_list_is_what_the_folder_has() -> None:
    assert {found.name for found in FOLDER.iterdir()} == set(files.FILES)


@pytest.mark.parametrize("name", ["", "..", "INDEX.HTML", "../openapi.json", "console.py", "index.html\x00"])
def test_what_is_not_in_the_list_is_not_there(prefix: str, name: str) -> None:
    assert file(name, prefix).status_code == 404


@pytest.mark.parametrize(("path", "location"), [("/console", "console/index.html"), ("/console/", "index.html")])
def test_its_address_leads_to_the_page_under_any_prefix(prefix: str, path: str, location: str) -> None:
    answer = ask(console, prefix + path)
    assert (answer.status_code, answer.headers["location"]) == (307, location)


@pytest.mark.parametrize("name", files.FILES)
def test_a_file_names_no_other_host_no_absolute_path_and_makes_no_markup_from_text(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert [found[0] for rule in (ELSEWHERE, MARKUP) for found in rule.finditer(text)] == []


@pytest.mark.parametrize(
    ("value", "is_on"), [(None, False), ("", False), ("false", False), ("1", False), ("True", True)]
)
def test_it_is_there_only_where_it_is_switched_on(
    monkeypatch: pytest.MonkeyPatch, value: str | None, is_on: bool
) -> None:
    monkeypatch.setattr(files, "is_on", lambda: config.console({} if value is None else {"TIMBRE_CONSOLE": value}))
    answers = [ask(console, "/console"), file("index.html")]
    assert [answer.status_code for answer in answers] == ([307, 200] if is_on else [404, 404])
    assert ("console" in json.loads(ask(root, "/").get_body())) is is_on
    if not is_on:
        assert all(json.loads(answer.get_body())["error"]["code"] == "NotFound" for answer in answers)
