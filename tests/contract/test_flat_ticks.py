"""What a tick of retention costs does not grow with the profiles that are kept: a bill that nobody would notice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.storage.backend.memory import MemoryBlobs, MemoryRows
from shared.storage.backend.ports import Row
from shared.storage.layout import VOICES
from shared.storage.stores import Storage
from tests.contract.cutting import Scissors
from tests.contract.expiring import keeping
from tests.contract.stores import NOW, instance, new_profile


class CountedRows(MemoryRows):
    """Counts the rows that ranges bring back."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        rows = list(super().query(partition, start, end, limit=limit, select=select))
        self.read += len(rows)
        return iter(rows)


def cost_of_a_tick(kept: int, due: int) -> tuple[list[str], int]:
    """Its calls of storage, and the rows that it read."""
    voices, scissors = CountedRows(), Scissors()
    storage = Storage(lambda name: voices if name == VOICES else MemoryRows(), lambda _: MemoryBlobs())
    stores = instance(storage, scissors)
    subscription_id = keeping(stores, age=30.0)
    for age in [0] * kept + [31] * due:
        at = NOW - timedelta(days=age)
        stores.profiles.create(replace(new_profile(subscription_id), created_at=at, last_action_at=at), 1_000)
    scissors.calls.clear()
    voices.read = 0
    assert stores.upkeep.sweep(subscription_id, NOW, 100) == due
    return scissors.calls, voices.read


@pytest.mark.parametrize("due", [0, 3])
def test_a_tick_costs_the_same_among_many_kept_profiles_as_among_few(due: int) -> None:
    few = cost_of_a_tick(4, due)
    assert few == cost_of_a_tick(400, due)
    assert len(few[0]) <= 1 + 20 * due
