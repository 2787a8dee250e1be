"""What every technology behind the port ``Rows`` must do alike when rows change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.storage.backend.ports import (
    MAX_CHANGES,
    Change,
    Insert,
    Merge,
    Remove,
    Replace,
    Row,
    RowChanged,
    RowConflict,
    RowExists,
    RowMissing,
    Rows,
    Value,
)
from tests.contract.stores import at_once


def stored(rows: Rows, key: str, partition: str = "p") -> Row:
    row = rows.get(partition, key)
    assert row is not None
    return row


def contents(rows: Rows, partition: str = "p") -> dict[str, dict[str, Value]]:
    return {row.key: dict(row.values) for row in rows.query(partition, " ", "~")}


def test_a_row_is_read_back_where_it_was_put(rows: Rows) -> None:
    assert rows.get("p", "k") is None
    rows.apply("p", [Insert("k", {"name": "one"})])
    row = stored(rows, "k")
    assert (row.partition, row.key, dict(row.values)) == ("p", "k", {"name": "one"})
    assert row.etag


@pytest.mark.parametrize(
    ("change", "after"), [(Replace, {"b": 3, "c": 4}), (Merge, {"a": 1, "b": 3, "c": 4})], ids=["replace", "merge"]
)
def test_replace_takes_the_place_of_all_values_and_merge_of_those_it_names(
    rows: Rows, change: type[Replace | Merge], after: dict[str, Value]
) -> None:
    rows.apply("p", [Insert("k", {"a": 1, "b": 2})])
    before = stored(rows, "k").etag
    rows.apply("p", [change("k", {"b": 3, "c": 4}, before)])
    row = stored(rows, "k")
    assert row.values == after
    assert row.etag != before
    with pytest.raises(RowChanged) as caught:
        rows.apply("p", [change("k", {"b": 5}, before)])
    assert caught.value.key == "k"
    assert stored(rows, "k") == row


def test_a_row_that_is_gone_is_not_replaced_and_one_put_again_is_another(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"v": 1})])
    old = stored(rows, "k").etag
    rows.apply("p", [Remove("k")])
    with pytest.raises(RowMissing):
        rows.apply("p", [Replace("k", {}, old)])
    assert rows.get("p", "k") is None
    rows.apply("p", [Insert("k", {"v": 1})])
    with pytest.raises(RowChanged):
        rows.apply("p", [Remove("k", old)])
    rows.apply("p", [Remove("k", stored(rows, "k").etag)])
    assert rows.get("p", "k") is None


@pytest.mark.parametrize(
    ("failing", "conflict"),
    [
        (Insert("there", {"v": 9}), RowExists),
        (Replace("there", {"v": 9}, 'W/"stale"'), RowChanged),
        (Merge("there", {"v": 9}, 'W/"stale"'), RowChanged),
        (Merge("absent", {"v": 9}), RowMissing),
        (Remove("absent"), RowMissing),
        (Remove("there", 'W/"stale"'), RowChanged),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:24]),
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_failing_change_undoes_all_and_is_named(
    rows: Rows, failing: Change, conflict: type[RowConflict], place: int
) -> None:
    rows.apply("p", [Insert("there", {"v": 1}), Insert("gone", {"v": 2})])
    before = contents(rows)
    changes: list[Change] = [Insert("new", {"v": 3}), Remove("gone")]
    changes.insert(place, failing)
    with pytest.raises(conflict) as caught:
        rows.apply("p", changes)
    assert type(caught.value) is conflict
    assert caught.value.key == failing.key
    assert contents(rows) == before


def test_a_hundred_changes_are_one_transaction(rows: Rows) -> None:
    rows.apply("p", [Insert(f"k{number:03}", {"n": number}) for number in range(MAX_CHANGES)])
    assert len(contents(rows)) == MAX_CHANGES
    changes: list[Change] = [Remove(f"k{number:03}") for number in range(MAX_CHANGES - 1)]
    with pytest.raises(RowMissing) as caught:
        rows.apply("p", [*changes, Remove("absent")])
    assert caught.value.key == "absent"
    assert len(contents(rows)) == MAX_CHANGES


def test_too_many_changes_and_a_row_twice_are_refused_before_they_are_sent_and_no_changes_are_no_call(
    rows: Rows,
) -> None:
    with pytest.raises(ValueError, match="At most 100 changes"):
        rows.apply("p", [Insert(f"k{number:03}", {}) for number in range(MAX_CHANGES + 1)])
    with pytest.raises(ValueError, match="once"):
        rows.apply("p", [Insert("k", {}), Remove("k")])
    rows.apply("p", [])
    assert contents(rows) == {}


def test_threads_that_increment_under_etags_lose_nothing(rows: Rows) -> None:
    rows.apply("p", [Insert("count", {"n": 0})])

    def increment(_: int) -> None:
        while True:
            row = stored(rows, "count")
            count = row.values["n"]
            assert isinstance(count, int)
            try:
                return rows.apply("p", [Replace("count", {"n": count + 1}, row.etag)])
            except RowChanged:
                continue

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(increment, range(40)))
    assert stored(rows, "count").values == {"n": 40}


def test_of_threads_that_insert_one_row_one_succeeds(rows: Rows) -> None:
    assert len(at_once(16, lambda number: rows.apply("p", [Insert("k", {"n": number})]), RowExists)) == 1
