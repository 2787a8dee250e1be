"""openapi.json and the app describe the same service."""

from __future__ import annotations

import json
import re

import azure.functions as func
import pytest
from jsonschema.exceptions import ValidationError

from shared.http.endpoint import Route
from shared.http.uploads import StreamRequest
from tests.api.client import Client
from tests.api.contract import DOCUMENT, assert_conforms
from tests.api.every_route import UNDESCRIBED, functions, http_trigger, template

METHODS = {"get", "put", "post", "delete", "patch"}
VALUES = {"profileId": "11111111-2222-3333-4444-555555555555", "operationId": "11111111-2222-3333-4444-555555555555"}


def routes() -> list[Route]:
    """Every route of the app that callers may use, as the functions host gets to see it."""
    found = []
    for function in functions():
        trigger = http_trigger(function)
        if trigger and function.get_function_name() not in UNDESCRIBED:
            methods = {method.value.lower() for method in trigger["methods"]}
            found.append(Route(template(trigger), frozenset(methods & METHODS), not_called))
    return found


async def not_called(_: StreamRequest) -> func.HttpResponse:
    raise AssertionError("these routes are only compared with paths")


def described() -> list[tuple[str, str]]:
    """Method and a path of every operation in the document."""
    return [
        (method, re.sub(r"\{(\w+)\}", lambda name: VALUES.get(name[1], "x"), path).removeprefix("/"))
        for path, item in DOCUMENT["paths"].items()
        for method in item
    ]


def test_every_described_operation_is_in_the_app() -> None:
    lost = [
        (method, path)
        for method, path in described()
        if not any(method in route.methods and route.values(path) is not None for route in routes())
    ]
    assert lost == []


def test_every_operation_of_the_app_is_described() -> None:
    operations = described()
    lost = [
        (method, route.template)
        for route in routes()
        for method in route.methods
        if not any(one == method and route.values(path) is not None for one, path in operations)
    ]
    assert lost == []


def test_no_two_routes_take_the_same_call() -> None:
    """The functions host tries routes by the names of their functions, not by how well they fit."""
    for method, path in described():
        taken = [route.template for route in routes() if method in route.methods and route.values(path) is not None]
        assert len(taken) == 1, f"{method} {path}: {taken}"


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere() -> None:
    named = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(DOCUMENT)))
    assert [one for one in named if one[1] not in DOCUMENT["components"][one[0]]] == []


def test_it_is_served_without_a_key(api: Client) -> None:
    answer = Client(api.url, None).call("GET", "/openapi.json")
    assert (answer.status, json.loads(answer.body)) == (200, DOCUMENT)


def test_an_answer_that_is_not_described_is_noticed() -> None:
    headers = {"content-type": "application/json; charset=utf-8", "apim-request-id": VALUES["profileId"]}
    with pytest.raises(ValidationError):
        assert_conforms("GET", "/spid/v1.0/verificationPhrases?locale=en-US", 200, headers, b'[{"Phrase":"x"}]')
    with pytest.raises(AssertionError, match="which is not described"):
        assert_conforms("GET", "/spid/v1.0/verificationPhrases", 201, headers, b"[]")
    with pytest.raises(AssertionError, match="no apim-request-id"):
        assert_conforms("GET", "/spid/v1.0/verificationPhrases", 200, {"content-type": "application/json"}, b"[]")
    with pytest.raises(AssertionError, match="is not described, and answered 200"):
        assert_conforms("GET", "/spid/v1.0/nothing", 200, headers, b"[]")
