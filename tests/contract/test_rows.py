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


def stored(rows: Rows, key: str, partition: str = "p") -> Row:
    row = rows.get(partition, key)
    assert row is not None
    return row


def contents(rows: Rows, partition: str = "p") -> dict[str, dict[str, Value]]:
    return {row.key: dict(row.values) for row in rows.query(partition, " ", "~")}


def test_an_absent_row_is_none(rows: Rows) -> None:
    assert rows.get("p", "absent") is None


def test_a_row_is_read_back_where_it_was_put(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"name": "one"})])
    row = stored(rows, "k")
    assert (row.partition, row.key, dict(row.values)) == ("p", "k", {"name": "one"})
    assert row.etag


def test_insert_refuses_a_row_that_exists_and_leaves_it(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"v": 1})])
    with pytest.raises(RowExists) as caught:
        rows.apply("p", [Insert("k", {"v": 2})])
    assert caught.value.key == "k"
    assert stored(rows, "k").values == {"v": 1}


def test_replace_takes_the_place_of_all_values_and_gives_a_new_etag(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"a": 1, "b": 2})])
    before = stored(rows, "k")
    rows.apply("p", [Replace("k", {"c": 3}, before.etag)])
    after = stored(rows, "k")
    assert after.values == {"c": 3}
    assert after.etag != before.etag


def test_replace_refuses_a_row_that_has_changed_since(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"v": 1})])
    old = stored(rows, "k").etag
    rows.apply("p", [Merge("k", {"v": 2})])
    with pytest.raises(RowChanged) as caught:
        rows.apply("p", [Replace("k", {"v": 3}, old)])
    assert caught.value.key == "k"
    assert stored(rows, "k").values == {"v": 2}


def test_replace_refuses_a_row_that_is_gone(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {})])
    old = stored(rows, "k").etag
    rows.apply("p", [Remove("k")])
    with pytest.raises(RowMissing):
        rows.apply("p", [Replace("k", {}, old)])
    assert rows.get("p", "k") is None


def test_a_row_put_again_is_not_the_one_that_was_removed(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"v": 1})])
    old = stored(rows, "k").etag
    rows.apply("p", [Remove("k")])
    rows.apply("p", [Insert("k", {"v": 1})])
    with pytest.raises(RowChanged):
        rows.apply("p", [Remove("k", old)])


def test_merge_keeps_the_other_values(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"a": 1, "b": 2})])
    before = stored(rows, "k")
    rows.apply("p", [Merge("k", {"b": 3, "c": 4})])
    after = stored(rows, "k")
    assert after.values == {"a": 1, "b": 3, "c": 4}
    assert after.etag != before.etag


def test_merge_without_etag_refuses_only_an_absent_row(rows: Rows) -> None:
    with pytest.raises(RowMissing) as caught:
        rows.apply("p", [Merge("k", {"a": 1})])
    assert caught.value.key == "k"
    assert rows.get("p", "k") is None


def test_merge_with_etag_refuses_a_changed_row(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"a": 1})])
    old = stored(rows, "k").etag
    rows.apply("p", [Merge("k", {"a": 2}, old)])
    with pytest.raises(RowChanged):
        rows.apply("p", [Merge("k", {"a": 3}, old)])
    assert stored(rows, "k").values == {"a": 2}


def test_remove_refuses_an_absent_or_changed_row(rows: Rows) -> None:
    with pytest.raises(RowMissing) as caught:
        rows.apply("p", [Remove("k")])
    assert caught.value.key == "k"
    rows.apply("p", [Insert("k", {})])
    old = stored(rows, "k").etag
    rows.apply("p", [Merge("k", {"a": 1})])
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


def test_a_hundred_and_one_changes_are_refused_before_they_are_sent(rows: Rows) -> None:
    with pytest.raises(ValueError, match="At most 100 changes"):
        rows.apply("p", [Insert(f"k{number:03}", {}) for number in range(MAX_CHANGES + 1)])
    assert contents(rows) == {}


def test_a_row_twice_in_a_transaction_is_refused(rows: Rows) -> None:
    with pytest.raises(ValueError, match="once"):
        rows.apply("p", [Insert("k", {}), Remove("k")])


def test_no_changes_are_no_call(rows: Rows) -> None:
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
    def insert(number: int) -> bool:
        try:
            rows.apply("p", [Insert("k", {"n": number})])
        except RowExists:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(insert, range(16))) == 1
