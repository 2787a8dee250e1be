"""What earlier versions left behind goes with the timer's ticks; ``gallery/test_packs.py`` has the packs."""

from __future__ import annotations

from shared.storage.backend.ports import MAX_CHANGES, Blobs, Insert, Rows
from shared.storage.leftovers import INSTANCES_PARTITION, Leftovers
from tests.contract.cutting import CuttingRows, Scissors


def test_rows_of_worker_processes_go_and_an_empty_table_is_not_read_again(rows: Rows, blobs: Blobs) -> None:
    calls = Scissors()
    leftovers = Leftovers(CuttingRows(rows, calls), rows, blobs)
    rows.apply(INSTANCES_PARTITION, [Insert(f"process-{number}", {}) for number in range(MAX_CHANGES)])
    rows.apply(INSTANCES_PARTITION, [Insert("one-more", {})])
    for _ in range(3):
        leftovers.remove()
    assert list(rows.query(INSTANCES_PARTITION, " ", "~")) == []
    calls.calls.clear()
    leftovers.remove()
    assert calls.calls == []
