"""Keys, values and queries behind the port ``Rows``, on every technology."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.storage.backend.ports import MAX_CHANGES, Insert, Merge, Remove, Row, Rows, Value
from tests.contract.test_rows import stored

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "", "text", "Grüße, 日本語, 🎤", "x" * (32 * 1024), b"", b"\x00\xff" * 8, bytes(64 * 1024), True, False,
        0, 7, -(2**31) - 1, 2**31, 2**63 - 1, -(2**63), 0.0, 1.0, -2.0, 0.1, 1e300, 5e-324, 123456789.0,
        NOON, NOON.replace(microsecond=1), NOON.replace(microsecond=999_999), datetime(1601, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:12]}",
)  # fmt: skip
def test_a_value_comes_back_equal_and_of_its_own_type(rows: Rows, value: Value) -> None:
    rows.apply("p", [Insert("k", {"value": value})])
    (read,) = rows.query("p", "k", "l")
    for row in (read, stored(rows, "k")):
        assert row.values["value"] == value
        assert type(row.values["value"]) is type(value)


def test_a_datetime_of_any_zone_comes_back_as_the_same_instant_in_utc(rows: Rows) -> None:
    east = datetime(2026, 1, 1, 1, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))
    rows.apply("p", [Insert("k", {"at": east})])
    read = stored(rows, "k").values["at"]
    assert isinstance(read, datetime)
    assert read == east
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001 - the missing zone is what is tested
        datetime(1600, 12, 31, tzinfo=UTC),
        float("nan"),
        float("inf"),
        2**63,
        -(2**63) - 1,
        bytes(64 * 1024 + 1),
        "x" * (32 * 1024 + 1),
        None,
        bytearray(b"x"),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:12]}",
)
def test_a_value_that_azure_cannot_keep_is_refused_by_name_before_it_is_sent(rows: Rows, value: Value) -> None:
    with pytest.raises(ValueError, match="measured"):
        rows.apply("p", [Insert("k", {"measured": value})])
    assert rows.get("p", "k") is None


@pytest.mark.parametrize("name", ["", "a-b", "1a", "a b", "RowKey", "PartitionKey", "Timestamp", "a.b"])
def test_a_name_that_azure_cannot_keep_is_refused(rows: Rows, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a value"):
        rows.apply("p", [Insert("k", {name: 1})])


def test_more_values_than_azure_keeps_in_a_row_are_refused(rows: Rows) -> None:
    with pytest.raises(ValueError, match="252"):
        rows.apply("p", [Insert("k", {f"v{number}": number for number in range(253)})])


@pytest.mark.parametrize("key", ["", "a/b", "a\\b", "a#b", "a?b", "a\tb", "a\nb", "a\x7fb", "ä", "x" * 513])
def test_a_key_that_azure_cannot_keep_is_refused_everywhere(rows: Rows, key: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: rows.apply("p", [Insert(key, {})]),
        lambda: rows.apply(key, [Insert("k", {})]),
        lambda: rows.get("p", key),
        lambda: rows.get(key, "k"),
        lambda: rows.query(key, "a", "b"),
        lambda: rows.query("p", key, "b"),
        lambda: rows.query("p", "a", key),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="key"):
            call()


@pytest.mark.parametrize("key", ["it's", "a b", "a:b", "50%", "{a}&b=c", "~", "+", '"q"', "x" * 512])
def test_any_other_printable_key_works(rows: Rows, key: str) -> None:
    rows.apply(key, [Insert(key, {"v": 1})])
    assert stored(rows, key, key).values == {"v": 1}
    assert [row.key for row in rows.query(key, key, "~~")] == [key]
    rows.apply(key, [Remove(key)])
    assert rows.get(key, key) is None


def test_a_query_is_in_ordinal_order_from_its_start_to_before_its_end_and_in_its_partition(rows: Rows) -> None:
    keys = ["a:10", "a:9", "A", "a", "b", "a-", "a:", "Z", "0", "_", "a:1"]
    rows.apply("p", [Insert(key, {"v": 1}) for key in keys])
    rows.apply("q", [Insert("a", {"v": 2})])
    assert [row.key for row in rows.query("p", " ", "~")] == sorted(keys)
    assert [row.key for row in rows.query("p", "a:", "a:9")] == ["a:", "a:1", "a:10"]
    assert list(rows.query("p", "b", "a")) == list(rows.query("p", "b", "b")) == []
    assert [dict(row.values) for row in rows.query("q", " ", "~")] == [{"v": 2}]
    assert list(rows.query("other", " ", "~")) == []


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (1, 1), (3, 3), (5, 5), (9, 5), (None, 5)])
def test_a_query_gives_at_most_its_limit_from_the_start(rows: Rows, limit: int | None, expected: int) -> None:
    rows.apply("p", [Insert(key, {}) for key in "abcde"])
    assert [row.key for row in rows.query("p", "a", "z", limit=limit)] == list("abcde")[:expected]


def test_a_query_goes_on_behind_the_first_page(rows: Rows) -> None:
    keys = [f"k{number:04}" for number in range(1050)]
    for at in range(0, len(keys), MAX_CHANGES):
        rows.apply("p", [Insert(key, {}) for key in keys[at : at + MAX_CHANGES]])
    assert [row.key for row in rows.query("p", "k", "l")] == keys
    assert [row.key for row in rows.query("p", "k", "l", limit=1001)] == keys[:1001]


def test_a_query_gives_only_the_selected_values_with_key_and_etag(rows: Rows) -> None:
    rows.apply("p", [Insert("k", {"a": 1, "b": 2, "c": 3}), Insert("l", {"b": 5})])
    first, second = rows.query("p", "a", "z", select=["a", "c"])
    assert (first.partition, first.key, dict(first.values)) == ("p", "k", {"a": 1, "c": 3})
    assert first.etag == stored(rows, "k").etag
    assert (second.key, dict(second.values)) == ("l", {})
    assert [dict(row.values) for row in rows.query("p", "a", "z", select=[])] == [{}, {}]


def test_a_row_does_not_show_its_values() -> None:
    row = Row("p", "k", {"phrase": "a secret"})
    assert "secret" not in f"{row!r} {Insert('k', row.values)!r} {Merge('k', row.values)!r}"
