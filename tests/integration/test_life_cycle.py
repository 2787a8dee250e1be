"""A subscription over HTTP on Azurite, with the service killed in the middle of deleting it: nothing stays behind.

The kill is SIGKILL to the whole process. Azurite is a process of its own and goes on, as Azure's storage would.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPException

import pytest

from tests.api.operator import Customer, Operator
from tests.api.stored import Stored
from tests.integration.own_storage import World, world
from tests.service import RunningService
from tests.voices import PASSPORT, STORY, recording, takes

pytestmark = pytest.mark.azurite

NEVER = 60.0
LONG = pytest.mark.long_form("every call is cut in tests/chaos; a real process is killed at night")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("life")) as storage:
        yield storage


@pytest.fixture(scope="module")
def stored(storage: World) -> Stored:
    return Stored(storage.azurite.connection_string)


@pytest.fixture(scope="module")
def kept(storage: World) -> str:
    """A subscription that nothing is done to."""
    with storage.service() as service:
        return with_voices(service).subscription_id


def operator(service: RunningService) -> Operator:
    return Operator(service.url, service.management_key)


def with_voices(service: RunningService) -> Customer:
    """A new subscription with an enrolled profile of a phrase, one of speech with audio, and an operation."""
    customer = operator(service).customer()
    customer.verification.enrolled(*takes(PASSPORT))
    customer.identification.enrolled(*[recording(STORY)] * 3)
    return customer


def killed_during(storage: World, service: RunningService, call: Callable[[], object], after: float) -> None:
    """The call goes out, and that many seconds later the service is no more."""

    def ignoring_the_end() -> None:
        with suppress(OSError, HTTPException, AssertionError):
            call()

    caller = threading.Thread(target=ignoring_the_end)
    caller.start()
    caller.join(after)
    storage.kill(service)
    caller.join(NEVER)
    assert not caller.is_alive()


@pytest.mark.parametrize(
    ("delete_seconds", "tick_seconds"),
    [pytest.param(0.0, 0.05, marks=LONG), pytest.param(0.02, 0.25, marks=LONG)],
)
def test_a_service_killed_while_it_deletes_leaves_nothing_behind(
    delete_seconds: float, tick_seconds: float, storage: World, kept: str, stored: Stored
) -> None:
    """Killed in the middle of DELETE, started anew, killed in the middle of the timer, started anew: then finished.

    The cuts at every single call of storage are in tests/chaos.
    """
    with storage.service() as service:
        customer = with_voices(service)
        subscription_id = customer.subscription_id
        neighbour = stored.of_subscription(kept)
        killed_during(storage, service, lambda: operator(service).delete(subscription_id), delete_seconds)
    with storage.service() as service:
        assert operator(service).delete(subscription_id).status == 202
        moved = replace(customer.primary, url=service.url)
        assert moved.get("/verificationProfiles").status == 401
        killed_during(storage, service, lambda: service.fire("retention"), tick_seconds)
    with storage.service() as service:
        service.fire("retention")
        record = f"subscriptions/subscriptions/subscription:{subscription_id}"
        assert list(stored.of_subscription(subscription_id)) == [record]
        assert operator(service).get(subscription_id).json["state"] == "deleted"
        assert stored.of_subscription(kept) == neighbour
    orphans = storage.orphans()
    assert (orphans.found, orphans.subscriptions >= 2) == ((), True)
