"""The storage that the contract tests run on: memory, and Azure's own clients against Azurite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.profile import Profile
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.blobs import AzureBlobs
from shared.storage.backend.memory import MemoryBlobs, MemoryRows
from shared.storage.backend.ports import Blobs, Rows
from shared.storage.backend.tables import TableRows
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Failure
from tests.contract.moving import Scene, scene_on
from tests.contract.stores import Clock, instance, new_profile, new_subscription

TECHNOLOGIES = ["memory", pytest.param("azurite", marks=pytest.mark.azurite)]


@pytest.fixture(params=TECHNOLOGIES)
def technology(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def step(technology: str, long_form: bool) -> int:
    """Every how many-th call is cut: each one in memory; on Azurite each one by one of the failures, or by every."""
    return 1 if technology == "memory" or long_form else len(Failure)


@pytest.fixture(scope="session")
def account_of() -> Callable[[str], StorageAccount]:
    """One account object, so one pool of connections, for the whole session."""
    known: dict[str, StorageAccount] = {}

    def account(connection_string: str) -> StorageAccount:
        return known.setdefault(connection_string, StorageAccount(connection_string=connection_string))

    return account


@pytest.fixture
def new_rows(
    technology: str, request: pytest.FixtureRequest, account_of: Callable[[str], StorageAccount]
) -> Callable[[], Rows]:
    """Makes a table of its own at every call."""
    if technology == "memory":
        return MemoryRows
    account = account_of(request.getfixturevalue("azurite").connection_string)
    return lambda: TableRows(account, f"t{uuid4().hex}")


@pytest.fixture
def new_blobs(
    technology: str, request: pytest.FixtureRequest, account_of: Callable[[str], StorageAccount]
) -> Callable[[], Blobs]:
    """Makes a container of its own at every call."""
    if technology == "memory":
        return MemoryBlobs
    account = account_of(request.getfixturevalue("azurite").connection_string)
    return lambda: AzureBlobs(account, f"c{uuid4().hex}")


@pytest.fixture
def rows(new_rows: Callable[[], Rows]) -> Rows:
    return new_rows()


@pytest.fixture
def blobs(new_blobs: Callable[[], Blobs]) -> Blobs:
    return new_blobs()


@pytest.fixture
def storage(new_rows: Callable[[], Rows], new_blobs: Callable[[], Blobs]) -> Storage:
    return Storage(lambda _: new_rows(), lambda _: new_blobs())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(storage: Storage, clock: Clock) -> Stores:
    return instance(storage, clock=clock)


@pytest.fixture
def subscription_id(stores: Stores) -> str:
    return new_subscription(stores)


@pytest.fixture
def created(stores: Stores, subscription_id: str) -> Profile:
    """Of identification, not enrolled."""
    return stores.profiles.create(new_profile(subscription_id), 10)


@pytest.fixture
def scene(storage: Storage, tmp_path: Path) -> Scene:
    """Profiles of one model, on their way to another."""
    return scene_on(storage, tmp_path)
