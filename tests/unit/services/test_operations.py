"""Operations keep results, never recordings, for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.decision import Confidence
from shared.domain.errors import (
    AudioTooShort,
    ModelDiffers,
    OperationNotFound,
    ProfileNotEnrolled,
    ProfileNotFound,
    TimbreError,
)
from shared.domain.operation import IdentificationResult, OperationFailed
from shared.services.operations import Operations, Outcome
from tests.unit.services.spoken import World

RESULT = IdentificationResult(None, Confidence.LOW)


@pytest.fixture
def operations(world: World) -> Operations:
    return Operations(world.operations, world.clock, world.new_id)


def test_a_result_can_be_asked_for_again_and_again(world: World, operations: Operations) -> None:
    started = world.clock()

    def work() -> Outcome:
        world.clock.advance(seconds=2)
        return RESULT

    made = operations.run("mine", work)
    assert operations.get("mine", made.operation_id) == made
    assert operations.get("mine", made.operation_id).outcome == RESULT
    assert (made.created_at, made.last_action_at) == (started, started + timedelta(seconds=2))


@pytest.mark.parametrize(
    "refusal", [ProfileNotEnrolled("p", "more speech"), ModelDiffers("p", made_by="a", configured="b")]
)
def test_a_candidate_that_cannot_be_used_fails_the_operation(operations: Operations, refusal: TimbreError) -> None:
    def work() -> Outcome:
        raise refusal

    made = operations.run("mine", work)
    assert operations.get("mine", made.operation_id).outcome == OperationFailed(f"IncompleteEnrollment: {refusal}")


@pytest.mark.parametrize("refusal", [AudioTooShort(0.1, 1.0), ProfileNotFound("p")])
def test_any_other_refusal_goes_to_the_caller_and_nothing_is_stored(
    world: World, operations: Operations, refusal: TimbreError
) -> None:
    def work() -> Outcome:
        raise refusal

    before = world.stored()
    with pytest.raises(type(refusal)):
        operations.run("mine", work)
    assert world.stored() == before


def test_an_operation_of_another_subscription_is_not_found(operations: Operations) -> None:
    made = operations.run("mine", lambda: RESULT)
    with pytest.raises(OperationNotFound):
        operations.get("yours", made.operation_id)


def test_an_operation_is_gone_after_a_day(world: World, operations: Operations) -> None:
    made = operations.run("mine", lambda: RESULT)
    world.clock.advance(hours=23, minutes=59)
    assert operations.get("mine", made.operation_id) == made
    world.clock.advance(minutes=1)
    with pytest.raises(OperationNotFound, match="24 hours"):
        operations.get("mine", made.operation_id)


def test_an_unknown_operation_is_named(world: World, operations: Operations) -> None:
    unknown = world.new_id()
    with pytest.raises(OperationNotFound, match=f"No operation id found: {unknown}"):
        operations.get("mine", unknown)
