"""What is erased in slices is erased whole, however many rows there are, and without asking once more when it was."""

from __future__ import annotations

import pytest

from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.memory import MemoryBlobs, MemoryRows
from shared.storage.backend.ports import MAX_CHANGES, Insert, Remove, Row
from shared.storage.layout import due_row, enrollment_row, grouped_row, member_row
from shared.storage.profiles.groups import disband, leave_groups
from shared.storage.profiles.removal import Eraser
from shared.storage.profiles.schedule import erase_due
from tests.contract.cutting import CuttingRows, Scissors
from tests.contract.stores import NOW

KEY = ProfileKey("mine", ProfileKind.TEXT_DEPENDENT_VERIFICATION, "11111111-2222-3333-4444-555555555555")
SLICE = MAX_CHANGES
HALF = MAX_CHANGES // 2


def filled(*keys: str) -> MemoryRows:
    rows = MemoryRows()
    for key in keys:
        rows.apply("mine", [Insert(key, {})])
    return rows


def left(rows: MemoryRows) -> list[str]:
    return [row.key for row in rows.query("mine", " ", "~")]


@pytest.mark.parametrize(
    ("enrollments", "queries"), [(0, 1), (1, 1), (SLICE - 1, 1), (SLICE, 2), (SLICE + 1, 2), (2 * SLICE, 3)]
)
def test_every_enrollment_of_a_deleted_profile_goes(enrollments: int, queries: int) -> None:
    scissors, tombstone = Scissors(), erase_due(NOW, KEY, None)
    rows = filled(tombstone.key, *(enrollment_row(KEY, 0, number) for number in range(enrollments)))

    Eraser(CuttingRows(rows, scissors), MemoryBlobs())(Row("mine", tombstone.key, tombstone.values))

    assert left(rows) == []
    assert scissors.calls.count("query") == queries + 2, "one for what verifications left, one for recognitions"


def test_what_another_eraser_leaves_in_between_goes_too() -> None:
    """It takes one of three rows behind our reading, so that our transaction removes none."""
    tombstone, enrollments = erase_due(NOW, KEY, None), [enrollment_row(KEY, 0, number) for number in range(3)]
    rows = filled(tombstone.key, *enrollments)
    scissors = Scissors(interrupt_at=2, before_call=lambda: rows.apply("mine", [Remove(enrollments[0])]))

    Eraser(CuttingRows(rows, scissors), MemoryBlobs())(Row("mine", tombstone.key, tombstone.values))

    assert left(rows) == []


@pytest.mark.parametrize("groups", [0, 1, HALF - 1, HALF, HALF + 1, 2 * HALF])
def test_a_profile_leaves_every_group(groups: int) -> None:
    names = [f"group-{number:03}" for number in range(groups)]
    both = [key for one in names for key in (member_row(one, KEY.profile_id), grouped_row(KEY.profile_id, one))]
    rows = filled(*both)

    leave_groups(rows, KEY)

    assert left(rows) == []


@pytest.mark.parametrize("members", [0, 1, HALF - 1, HALF, HALF + 1, 2 * HALF])
def test_everybody_leaves_a_deleted_group(members: int) -> None:
    ids = [f"profile-{number:03}" for number in range(members)]
    due = Insert(due_row(NOW, "disband", "g"), {"group_id": "g"})
    rows = filled(due.key, *(key for one in ids for key in (member_row("g", one), grouped_row(one, "g"))))

    disband(rows, Row("mine", due.key, due.values))

    assert left(rows) == []
