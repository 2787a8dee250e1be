"""What every operation asks of storage is what the table says: no call more, none less, in this order.

All of them over memory; some over Azure's own clients, to see that a call is one request.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from localhost.azurite import Azurite
from tests.api.every_route import functions, http_trigger
from tests.round_trips import other_situations
from tests.round_trips.app import App, app
from tests.round_trips.customers import IDENTIFICATION, TEXT_DEPENDENT, Described, customer, described
from tests.round_trips.situations import SITUATIONS
from tools.round_trips import TABLES, TIMERS, RoundTrips

assert other_situations  # imported for the situations that it registers

ROWS = [row for name, rows in TABLES.items() if name != "timers" for row in rows]


ON_AZURITE = {
    "create a profile",
    "enroll for identification, v1.0",
    "identify among three, and the speaker is named, v1.0",
    "identify among everybody on a new instance, from a pack",
    "reset a profile for identification",
    "give a subscription a new key",
}
"""Every kind of call is in one of them."""


def cases(rows: list[RoundTrips]) -> list[object]:
    """Each row with each operation that it is about."""
    return [
        pytest.param(row, one, id=f"{row.what}: {one.operation_id}")
        for row in rows
        for one in described()
        if about(row, one)
    ]


def about(row: RoundTrips, one: Described) -> bool:
    return any(fnmatchcase(one.operation_id, name) for name in row.operations)


@pytest.fixture(scope="module")
def in_memory() -> App:
    return app()


@pytest.mark.parametrize(("row", "operation"), cases(ROWS))
def test_an_operation_makes_the_calls_of_the_table(in_memory: App, row: RoundTrips, operation: Described) -> None:
    call = SITUATIONS[row.what](in_memory, operation)
    in_memory.ledger.taken()

    answer = call()

    assert in_memory.ledger.taken()[0] == row.calls, f"{answer.status} {answer.body[:200]!r}"


@pytest.fixture(scope="module")
def on_azurite(azurite: Azurite) -> App:
    return app(azurite.connection_string)


@pytest.mark.azurite
@pytest.mark.parametrize("row", [row for row in ROWS if row.what in ON_AZURITE], ids=lambda row: row.what)
def test_a_call_is_one_request_over_the_network(on_azurite: App, row: RoundTrips) -> None:
    operation = next(one for one in described() if about(row, one))
    SITUATIONS[row.what](on_azurite, operation)()  # every table and container has been used
    call = SITUATIONS[row.what](on_azurite, operation)
    on_azurite.ledger.taken()

    call()

    assert on_azurite.ledger.taken() == (row.calls, row.number)


@pytest.mark.parametrize("row", TIMERS, ids=lambda row: row.operations[0])
def test_an_idle_tick_makes_the_calls_of_the_table(row: RoundTrips) -> None:
    alone = app()
    who = customer(alone)
    who.speaker(TEXT_DEPENDENT)
    who.speaker(IDENTIFICATION)
    alone.tick("migration")  # the first walk writes how far it came; from then on it rests for a day
    alone.tick("retention")  # the first looks for what earlier versions left behind
    alone.ledger.taken()

    alone.tick(*row.operations)

    assert alone.ledger.taken()[0] == row.calls


@pytest.mark.parametrize(("method", "status"), [("GET", 401), ("OPTIONS", 204)])
def test_without_a_key_nothing_is_asked(method: str, status: int) -> None:
    new = app()
    assert new.call(method, "/spid/v1.0/verificationProfiles").status == status
    assert new.ledger.taken() == ((), 0)


def test_every_kind_of_call_is_tried_on_azurite() -> None:
    verbs = {call.split(" ")[0] for row in ROWS for call in row.calls}
    tried = {call.split(" ")[0] for row in ROWS if row.what in ON_AZURITE for call in row.calls}
    assert tried == verbs


def test_every_operation_is_in_the_table() -> None:
    assert [one for one in described() if not any(about(row, one) for row in ROWS)] == []


def test_every_timer_is_in_the_table() -> None:
    timers = {str(one.get_function_name()) for one in functions() if http_trigger(one) is None}
    assert timers == {name for row in TIMERS for name in row.operations}


def test_every_row_is_about_an_operation_that_there_is() -> None:
    ids = [one.operation_id for one in described()]
    named = [name for row in ROWS for name in row.operations]
    assert [name for name in named if not any(fnmatchcase(one, name) for one in ids)] == []
