"""The timer's work over all subscriptions."""

from __future__ import annotations

import logging
from datetime import datetime

import pytest

from shared.domain.errors import StorageUnavailable
from shared.domain.operation import OperationFailed
from shared.services.operations import Operations
from shared.services.retain import SLICE, Retain
from tests.unit.services.spoken import World


def test_what_has_expired_in_any_subscription_is_dropped(world: World) -> None:
    operations = Operations(world.operations, world.clock, world.new_id)
    for who in ("mine", "yours"):
        operations.run(who, lambda: OperationFailed("SpeakerInvalid"))
    retain = Retain(world.subscriptions, world.upkeep, world.clock)
    assert retain() == 0
    assert world.stored() != {}
    world.clock.advance(hours=24)
    assert retain() == 2
    assert world.stored() == {}
    assert retain() == 0


def test_a_subscription_whose_storage_fails_does_not_keep_the_others_waiting(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[tuple[str, int]] = []

    class OneFails:
        def sweep(self, subscription_id: str, at: datetime, limit: int) -> int:
            asked.append((subscription_id, limit))
            if subscription_id == "mine":
                raise StorageUnavailable
            return 3

    with caplog.at_level(logging.WARNING):
        done = Retain(world.subscriptions, OneFails(), world.clock)()
    assert done == 3
    assert sorted(asked) == [("mine", SLICE), ("yours", SLICE)]
    assert "retention_postponed subscription=mine" in caplog.text
