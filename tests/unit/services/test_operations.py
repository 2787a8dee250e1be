"""Operations keep results, never recordings, for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.decision import Confidence
from shared.domain.errors import OperationNotFound
from shared.domain.operation import IdentificationResult
from tests.unit.services.spoken import World

RESULT = IdentificationResult(None, Confidence.LOW)


def test_a_result_can_be_asked_for_again_and_again(world: World) -> None:
    began = world.clock()
    ended = world.clock.advance(seconds=2)
    operation = world.operations.record("mine", began, RESULT)
    assert (operation.created_at, operation.last_action_at, operation.outcome) == (began, ended, RESULT)
    for _ in range(2):
        assert world.operations.get("mine", operation.operation_id) == operation


def test_an_operation_is_gone_a_day_after_its_work_began(world: World) -> None:
    operation = world.operations.record("mine", world.clock() - timedelta(minutes=1), RESULT)
    world.clock.advance(hours=23, minutes=58)
    assert world.operations.get("mine", operation.operation_id) == operation
    world.clock.advance(minutes=1)
    with pytest.raises(OperationNotFound, match="24 hours"):
        world.operations.get("mine", operation.operation_id)


def test_an_operation_that_is_unknown_or_anothers_is_named(world: World) -> None:
    foreign = world.operations.record("yours", world.clock(), RESULT).operation_id
    for absent in (world.new_id(), foreign):
        with pytest.raises(OperationNotFound, match=f"No operation id found: {absent}"):
            world.operations.get("mine", absent)
