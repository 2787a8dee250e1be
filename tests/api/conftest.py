"""The service as its callers see it: over HTTP, with a subscription key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from localhost.azurite import Azurite
from tests.api.client import Client, Profiles
from tests.api.operator import Operator
from tests.api.stored import everything
from tests.service import RunningService


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The service's log is read when every other call has been made."""
    items.sort(key=lambda item: item.path.name == "test_secrets.py")


@pytest.fixture
def api(service: RunningService) -> Client:
    return Client(service.url, service.key)


@pytest.fixture
def operator(service: RunningService) -> Operator:
    return Operator(service.url, service.management_key)


@pytest.fixture
def verification(api: Client) -> Profiles:
    return Profiles(api, "verification")


@pytest.fixture
def identification(api: Client) -> Profiles:
    return Profiles(api, "identification")


@pytest.fixture
def stored(azurite: Azurite, service: RunningService) -> Callable[[], dict[str, str]]:
    """Reads all that the service keeps."""
    return lambda: everything(azurite.connection_string)
