"""Who is at work: rows that are written anew, count for 90 seconds, and go in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.storage.backend.ports import Rows
from shared.storage.instances import FORGOTTEN, SEEN, RowInstances

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_each_instance_counts_once(rows: Rows) -> None:
    instances = RowInstances(rows)
    assert instances.beat("one", NOW) == 1
    assert instances.beat("two", NOW) == 2
    assert instances.beat("one", NOW + timedelta(seconds=30)) == 2


def test_one_that_was_not_heard_of_for_ninety_seconds_does_not_count(rows: Rows) -> None:
    instances = RowInstances(rows)
    instances.beat("gone", NOW)
    assert instances.beat("here", NOW + SEEN) == 2
    assert instances.beat("here", NOW + SEEN + timedelta(microseconds=1)) == 1


def test_rows_of_those_long_gone_are_taken_away(rows: Rows) -> None:
    instances = RowInstances(rows)
    for number in range(12):
        instances.beat(f"gone-{number:02}", NOW)
    later = NOW + FORGOTTEN + timedelta(seconds=1)
    assert [instances.beat("here", later), instances.beat("here", later)] == [1, 1]
    assert [row.key for row in rows.query("instances", " ", "~")] == ["here"]
