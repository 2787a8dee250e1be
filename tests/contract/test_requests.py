"""Where one call to storage is more than one request over the network."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.blobs import AzureBlobs
from shared.storage.backend.ports import MAX_CHANGES, Insert
from shared.storage.backend.tables import PAGE_ROWS, TableRows


def counted(azurite: Azurite) -> tuple[StorageAccount, Callable[[], int]]:
    """An account, and how many requests it has sent since the last time that was asked."""
    sent: list[object] = []
    account = StorageAccount(connection_string=azurite.connection_string)
    account.transport.session.hooks["response"].append(lambda response, **_: sent.append(response))

    def requests() -> int:
        number = len(sent)
        sent.clear()
        return number

    return account, requests


@pytest.mark.azurite
def test_the_first_use_of_a_table_or_container_in_a_process_makes_sure_that_it_is_there(azurite: Azurite) -> None:
    account, requests = counted(azurite)
    rows, blobs = TableRows(account, f"t{uuid4().hex}"), AzureBlobs(account, f"c{uuid4().hex}")

    rows.get("partition", "key")
    assert requests() == 2
    rows.get("partition", "key")
    assert requests() == 1
    blobs.get("name")
    assert requests() == 2
    blobs.get("name")
    assert requests() == 1


@pytest.mark.azurite
def test_a_query_is_a_request_for_each_thousand_rows(azurite: Azurite) -> None:
    account, requests = counted(azurite)
    rows = TableRows(account, f"t{uuid4().hex}")
    keys = [f"row:{number:04}" for number in range(PAGE_ROWS + 1)]
    for start in range(0, len(keys), MAX_CHANGES):
        rows.apply("partition", [Insert(key, {}) for key in keys[start : start + MAX_CHANGES]])
    requests()

    assert len(list(rows.query("partition", "row:", "row;"))) == PAGE_ROWS + 1
    assert requests() == 2
    assert len(list(rows.query("partition", "row:", "row;", limit=PAGE_ROWS))) == PAGE_ROWS
    assert requests() == 1
