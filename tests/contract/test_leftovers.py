"""What earlier versions left behind goes with the timer's ticks."""

from __future__ import annotations

from shared.storage.backend.ports import MAX_CHANGES, Insert, Rows
from shared.storage.leftovers import PARTITION, Leftovers
from tests.contract.cutting import CuttingRows, Scissors


def test_rows_of_worker_processes_go_and_an_empty_table_is_not_read_again(rows: Rows) -> None:
    calls = Scissors()
    leftovers = Leftovers(CuttingRows(rows, calls))
    rows.apply(PARTITION, [Insert(f"process-{number}", {}) for number in range(MAX_CHANGES)])
    rows.apply(PARTITION, [Insert("one-more", {})])
    for _ in range(3):
        leftovers.remove()
    assert list(rows.query(PARTITION, " ", "~")) == []
    calls.calls.clear()
    leftovers.remove()
    assert calls.calls == []
