"""Answers of storage that are cut: never taken for whole, and always storage's trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

import pytest

from localhost.azurite import Azurite
from shared.domain.errors import StorageUnavailable
from shared.storage.backend import account as account_module
from shared.storage.backend import blobs as blobs_module
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.blobs import AzureBlobs
from shared.storage.backend.ports import Change, Insert, Merge, RowConflict, RowExists
from shared.storage.backend.tables import TableRows
from tests.valve import Valve, behind

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # the SDK drops an answer that it cannot read, socket and all
)

CUT, WHOLE = 1_500, 100_000
"""Bytes. Headers and most bodies end before the first; no answer here is longer than the second."""

Outcome = object
"""What a call gave, or the type of what it raised."""


@dataclass(frozen=True)
class Cut:
    tables: Valve
    blobs: Valve
    account: StorageAccount

    def outcome(self, valve: Valve, after: int, call: Callable[[], object]) -> Outcome:
        self.account.session.close()  # every connection is a new one
        with valve.cut(after):
            try:
                return call()
            except (StorageUnavailable, RowConflict) as error:
                return type(error)


@pytest.fixture(scope="module")
def cut(azurite: Azurite) -> Iterator[Cut]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(account_module, "MAX_BACKOFF_SECONDS", 0.001)
        patch.setattr(blobs_module, "INITIAL_BACKOFF_SECONDS", 0.001)
        patch.setattr(blobs_module, "BACKOFF_BASE", 0.0)
        tables, storage = stack.enter_context(behind("Table", azurite.connection_string))
        blobs, storage = stack.enter_context(behind("Blob", storage))
        yield Cut(tables, blobs, StorageAccount(connection_string=storage))


@pytest.fixture(scope="module")
def rows(cut: Cut) -> TableRows:
    rows = TableRows(cut.account, "cutanswers")
    rows.apply("p", [Insert("there", {"text": "x" * 50})])
    return rows


@pytest.fixture
def places(long_form: bool) -> list[int]:
    """Where answers are cut, in bytes."""
    return [*range(0, CUT, 1 if long_form else 37), WHOLE]


@pytest.mark.azurite
@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ([Insert("there", {})], RowExists),
        ([Insert("new", {}), Insert("there", {})], RowExists),
        ([Merge("there", {"text": "y"}), Insert("new", {})], None),
        ([Insert("new", {})], None),
        ([Merge("there", {"text": "y"})], None),
    ],
)
def test_a_change_is_answered_as_it_went_or_is_unavailable(
    cut: Cut, rows: TableRows, places: list[int], changes: list[Change], whole: Outcome
) -> None:
    """A refused transaction is never taken for done, wherever its answer was cut."""
    numbers = count()

    def fresh(change: Change) -> Change:
        return Insert(f"{change.key}-{next(numbers)}-{len(changes)}", {}) if change.key == "new" else change

    seen = {cut.outcome(cut.tables, at, lambda: rows.apply("p", [fresh(one) for one in changes])) for at in places}
    assert seen == {StorageUnavailable, whole}


@pytest.mark.azurite
def test_what_is_read_is_whole_or_unavailable(cut: Cut, rows: TableRows, places: list[int]) -> None:
    there = rows.get("p", "there")
    assert there is not None
    assert _all_of(cut, places, lambda: rows.get("p", "there") == there) == {StorageUnavailable, True}
    assert _all_of(cut, places, lambda: rows.get("p", "absent")) == {StorageUnavailable, None}
    assert _all_of(cut, places, lambda: len(list(rows.query("p", "there", "there!")))) == {StorageUnavailable, 1}


@pytest.mark.azurite
def test_blobs_are_whole_or_unavailable(cut: Cut, places: list[int]) -> None:
    blobs = AzureBlobs(cut.account, "cutanswers")
    content = bytes(range(20))
    blobs.put("a/b", content)
    calls: list[tuple[Callable[[], object], Outcome]] = [
        (lambda: blobs.get("a/b") == content, True),
        (lambda: blobs.get("a/absent"), None),
        (lambda: blobs.put("a/b", content), None),
        (lambda: len(list(blobs.names("a/"))), 1),
    ]
    for call, whole in calls:
        seen = {cut.outcome(cut.blobs, at, call) for at in (*places[::8], WHOLE)}  # the SDK sleeps between attempts
        assert seen == {StorageUnavailable, whole}


def _all_of(cut: Cut, places: list[int], call: Callable[[], object]) -> set[Outcome]:
    return {cut.outcome(cut.tables, at, call) for at in places}
