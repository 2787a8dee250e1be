"""A call to storage runs while its caller goes on, and nobody can tell from the answers."""

from __future__ import annotations

from threading import Event

import pytest

from shared.domain.errors import AudioUnreadable, StorageUnavailable
from shared.domain.measurement import Measurement, gathered
from shared.services.concurrency import concurrently


def test_both_are_done_at_once() -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    called, listening = Event(), Event()

    def storage_call(seconds: float) -> bool:
        called.set()
        return listening.wait(seconds)

    with concurrently(storage_call, 10.0) as call:
        listening.set()
        assert called.wait(10.0)
    assert call.result()


def test_an_error_of_the_block_leaves_it_when_storage_has_answered() -> None:
    refused, answered = Event(), Event()

    def storage_call() -> None:
        refused.wait(10)
        answered.set()

    def listen() -> None:
        with concurrently(storage_call):
            refused.set()
            raise AudioUnreadable("Not a recording.")

    with pytest.raises(AudioUnreadable):
        listen()
    assert answered.is_set()


@pytest.mark.parametrize("readable", [True, False])
def test_storages_error_goes_before_the_blocks(readable: bool) -> None:
    def storage_call() -> None:
        raise StorageUnavailable

    def listen() -> None:
        with concurrently(storage_call):
            if not readable:
                raise AudioUnreadable("Not a recording.")

    with pytest.raises(StorageUnavailable):
        listen()


def test_only_waiting_for_storage_is_measured_as_storage() -> None:
    answered, now = Event(), [0.0]
    measurement = Measurement("verify", "mine", lambda: now[0])
    with gathered(measurement), concurrently(answered.wait, 10):
        now[0] += 2.0
        answered.set()
    assert measurement.seconds["store"] == 0.0
