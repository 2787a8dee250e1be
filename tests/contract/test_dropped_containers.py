"""A table or container dropped under a running service: storage is broken, its contents are not "absent"."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from localhost.azurite import Azurite
from shared.domain.errors import StorageUnavailable
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.blobs import AzureBlobs
from shared.storage.backend.ports import Insert, Merge
from shared.storage.backend.tables import TableRows

pytestmark = pytest.mark.azurite


def test_a_dropped_table_is_not_an_absent_row(azurite: Azurite) -> None:
    name = f"t{uuid4().hex}"
    rows = TableRows(StorageAccount(connection_string=azurite.connection_string), name)
    assert rows.get("p", "k") is None
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        service.delete_table(name)
    calls: list[Callable[[], object]] = [
        lambda: rows.get("p", "k"),
        lambda: list(rows.query("p", "a", "b")),
        lambda: rows.apply("p", [Insert("k", {})]),
        lambda: rows.apply("p", [Merge("k", {})]),
    ]
    for call in calls:
        with pytest.raises(StorageUnavailable):
            call()


def test_a_dropped_container_is_not_an_absent_blob(azurite: Azurite) -> None:
    name = f"c{uuid4().hex}"
    blobs = AzureBlobs(StorageAccount(connection_string=azurite.connection_string), name)
    assert blobs.get("a/b") is None
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        service.delete_container(name)
    calls: list[Callable[[], object]] = [
        lambda: blobs.get("a/b"),
        lambda: blobs.delete("a/b"),
        lambda: blobs.put("a/b", b"x"),
    ]
    for call in calls:
        with pytest.raises(StorageUnavailable):
            call()
