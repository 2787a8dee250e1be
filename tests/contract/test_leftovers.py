"""What earlier versions left behind goes with the timer's ticks; ``gallery/test_packs.py`` has the packs."""

from __future__ import annotations

from uuid import uuid4

import pytest
from azure.data.tables import TableServiceClient

from localhost.azurite import Azurite
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.ports import MAX_CHANGES, Blobs, Insert, Rows
from shared.storage.leftovers import INSTANCES, Leftovers
from shared.storage.stores import Storage
from tests.contract.cutting import CuttingRows, Scissors
from tests.contract.stores import instance


def test_rows_of_worker_processes_go_and_an_empty_table_is_not_read_again(rows: Rows, blobs: Blobs) -> None:
    calls = Scissors()
    leftovers = Leftovers(CuttingRows(rows, calls), rows, blobs)
    rows.apply(INSTANCES, [Insert(f"process-{number}", {}) for number in range(MAX_CHANGES)])
    rows.apply(INSTANCES, [Insert("one-more", {})])
    for _ in range(3):
        leftovers.remove()
    assert list(rows.query(INSTANCES, " ", "~")) == []
    calls.calls.clear()
    leftovers.remove()
    assert calls.calls == []


@pytest.mark.azurite
def test_a_table_of_earlier_versions_is_emptied_where_it_is_and_made_nowhere(azurite: Azurite) -> None:
    prefix = f"t{uuid4().hex}"
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        for there in (False, True):
            storage = Storage.in_azure(StorageAccount(connection_string=azurite.connection_string), prefix)
            if there:
                service.create_table(prefix + INSTANCES).create_entity({"PartitionKey": INSTANCES, "RowKey": "process"})
            instance(storage).leftovers.remove()
            tables = [table.name for table in service.list_tables() if table.name.startswith(prefix)]
            assert tables == ([prefix + INSTANCES] if there else [])
            assert list(storage.instances.query(INSTANCES, " ", "~")) == []
