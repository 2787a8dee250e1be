"""The retention timer on demand, as the functions host offers it."""

from __future__ import annotations

import pytest

from tests.api.client import Client
from tests.service import RunningService

JSON = {"Content-Type": "application/json"}


def test_the_timer_is_fired_with_the_management_key(service: RunningService, api: Client) -> None:
    headers = {"x-functions-key": service.management_key, **JSON}
    answer = api.call("POST", "/admin/functions/retention", b"{}", headers)
    assert (answer.status, answer.body) == (202, b"")


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": "wrong"}, {"x-functions-key": ""}])
def test_the_timer_is_fired_by_nobody_else(api: Client, headers: dict[str, str]) -> None:
    assert api.call("POST", "/admin/functions/retention", b"{}", {**headers, **JSON}).status == 401


def test_a_subscription_key_fires_no_timer(service: RunningService, api: Client) -> None:
    headers = {"x-functions-key": service.key, **JSON}
    assert api.call("POST", "/admin/functions/retention", b"{}", headers).status == 401


def test_health_needs_no_key_and_no_storage(service: RunningService) -> None:
    answer = Client(service.url, None).call("GET", "/health")
    assert (answer.status, answer.json) == (200, {"status": "healthy"})
