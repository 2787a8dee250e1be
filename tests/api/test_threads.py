"""One setting sizes the pool that works on requests, and health does not need it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from localhost.azurite import Azurite
from tests.api.client import PREFIX, Answer, Client
from tests.service import RunningService, running_service
from tests.valve import Valve, behind

THREADS = 3
PROFILES = f"{PREFIX}/verificationProfiles"
LOOK_UP = b"/keys("
"""Of the calls of timers, which have threads of their own, none asks for a key."""


@dataclass(frozen=True)
class Stalling:
    service: RunningService
    valve: Valve

    def call(self, path: str, key: str | None = None) -> Answer:
        return Client(self.service.url, key).call("GET", path)


@pytest.fixture(scope="module")
def stalling(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[Stalling]:
    """A service with few threads, in front of storage that can be stopped."""
    log = tmp_path_factory.mktemp("stalling") / "service.log"
    with behind("Table", azurite.connection_string, LOOK_UP) as (valve, connection_string):
        settings = {
            "VOICE_STORAGE": connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
            "PYTHON_THREADPOOL_THREAD_COUNT": str(THREADS),
        }
        with running_service(log, environment=settings) as running:
            stalling = Stalling(running, valve)
            assert stalling.call(PROFILES, running.key).status == 200
            yield stalling


def test_so_many_requests_wait_for_storage_as_there_are_threads_and_health_answers(stalling: Stalling) -> None:
    with ThreadPoolExecutor(2 * THREADS) as pool:
        with stalling.valve.shut(LOOK_UP):
            asked = [pool.submit(stalling.call, PROFILES, f"{number:064x}") for number in range(2 * THREADS)]
            assert stalling.valve.wait_for(THREADS, 30.0)
            assert [stalling.call(path).status for path in ("/health", "/health/ready")] == [200, 200]
            # In the pool they would have stood behind all of these.
            assert not any(future.done() for future in asked)
            assert not stalling.valve.wait_for(THREADS + 1, 1.0)
        assert {future.result().status for future in asked} <= {401, 503}  # storage is given up after some seconds
    assert stalling.call(PROFILES, stalling.service.key).status == 200


@pytest.mark.long_form("storage is given up after ten seconds")
def test_that_it_is_not_ready_is_answered_though_storage_never_answers(stalling: Stalling) -> None:
    with ThreadPoolExecutor(THREADS) as pool, stalling.valve.shut():
        asked = [pool.submit(stalling.call, PROFILES, f"{number:064x}") for number in range(THREADS)]
        assert stalling.valve.wait_for(THREADS, 30.0)
        while (status := stalling.call("/health/ready").status) == 200:  # as storage answered ten seconds ago
            time.sleep(0.2)
        assert status == 503
    assert {future.result().status for future in asked} <= {401, 503}
