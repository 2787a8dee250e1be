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
    # Of the calls of timers, which have threads of their own, none asks for a key.
    with behind("Table", azurite.connection_string, b"/keys(") as (valve, connection_string):
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
        with stalling.valve.shut():
            asked = [pool.submit(stalling.call, PROFILES, f"{number:064x}") for number in range(2 * THREADS)]
            assert stalling.valve.wait_for(THREADS, 30.0)
            started = time.monotonic()
            assert stalling.call("/health").status == 200
            assert time.monotonic() - started < 2.0
            assert not any(future.done() for future in asked)
            # Shorter than storage is waited for: a call that is made again overlaps with the one that was given up.
            assert not stalling.valve.wait_for(THREADS + 1, 1.0)
            started = time.monotonic()
            assert stalling.call("/health/ready").status in (200, 503)  # 200 where storage answered ten seconds ago
            assert time.monotonic() - started < 15.0
        assert {future.result().status for future in asked} <= {401, 503}  # storage is given up after some seconds
    assert stalling.call(PROFILES, stalling.service.key).status == 200
