"""The timer's work over all subscriptions."""

from __future__ import annotations

import logging
from collections.abc import MutableSequence
from dataclasses import replace
from datetime import datetime

import pytest

from shared.domain.audit import AuditAction
from shared.domain.errors import ProfileNotFound, StorageUnavailable
from shared.domain.operation import OperationFailed
from shared.domain.profile import ProfileKind
from shared.domain.subscription import SettingsChange, Subscription, SubscriptionState
from shared.services.audit import TrimAudit
from shared.services.operations import Operations
from shared.services.ports import SubscriptionEraser, Upkeep
from shared.services.retain import ERASE_CALLS, SECONDS, SLICE, Retain
from shared.storage.backend.ports import Merge
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, subscription_row
from tests.unit.services.spoken import World


def in_order(subscriptions: MutableSequence[Subscription]) -> None:
    """Instead of an order of chance."""


def retain(
    world: World, upkeep: Upkeep | None = None, eraser: SubscriptionEraser | None = None, seconds_each: float = 0.0
) -> Retain:
    now = iter(range(1_000))
    return Retain(
        world.subscriptions,
        upkeep or world.upkeep,
        eraser or world.eraser,
        TrimAudit(world.subscriptions, world.trail, world.clock),
        world.clock,
        monotonic=lambda: next(now) * seconds_each,
        shuffle=in_order,
    )


class Asked:
    """Remembers what it was asked for; fails for the subscription ``mine``."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.sweeps: list[tuple[str, int]] = []
        self._failure = failure

    def sweep(self, subscription_id: str, at: datetime, limit: int) -> int:
        self.sweeps.append((subscription_id, limit))
        if subscription_id == "mine" and self._failure:
            raise self._failure
        return 3

    def policy_changes(self, subscription_id: str, at: datetime) -> None:
        raise AssertionError


def test_what_has_expired_in_any_subscription_is_dropped(world: World) -> None:
    operations = Operations(world.operations, world.clock, world.new_id)
    for who in ("mine", "yours"):
        operations.record(who, world.clock(), OperationFailed("SpeakerInvalid"))
    assert retain(world)() == 0
    assert world.stored() != {}
    world.clock.advance(hours=24)
    assert retain(world)() == 2
    assert world.stored() == {}
    assert retain(world)() == 0


def test_old_records_of_the_trail_are_dropped(world: World) -> None:
    world.create(ProfileKind.IDENTIFICATION)
    assert [entry.action for entry in world.audited()] == [AuditAction.CREATE_PROFILE]
    world.clock.advance(days=world.mine.settings.audit_days, seconds=1)
    assert retain(world)() == 1
    assert world.audited() == []


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (StorageUnavailable(), "retention_postponed subscription=mine"),
        (ProfileNotFound("x"), "retention_failed subscription=mine error=ProfileNotFound"),
    ],
)
def test_a_subscription_that_fails_does_not_keep_the_others_waiting(
    world: World, caplog: pytest.LogCaptureFixture, failure: Exception, said: str
) -> None:
    asked = Asked(failure)
    with caplog.at_level(logging.WARNING):
        assert retain(world, asked)() == 3
    assert asked.sweeps == [("mine", SLICE), ("yours", SLICE)]
    assert caplog.messages == [said]


def test_a_subscription_that_cannot_be_read_does_not_keep_the_others_waiting(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Merge(subscription_row("mine"), {"state": "no such state"})
    world.subscriptions._subscriptions.apply(SUBSCRIPTIONS_PARTITION, [broken])
    asked = Asked()
    with caplog.at_level(logging.ERROR):
        assert retain(world, asked)() == 3
    assert asked.sweeps == [("yours", SLICE)]
    assert caplog.messages == [
        "retention_page_unreadable error=ValueError",
        "retention_failed subscription=mine error=ValueError",
    ]


def test_a_tick_ends_in_time_and_says_so(world: World, caplog: pytest.LogCaptureFixture) -> None:
    asked = Asked()
    with caplog.at_level(logging.WARNING):
        assert retain(world, asked, seconds_each=SECONDS / 2 + 1)() == 3
    assert asked.sweeps == [("mine", SLICE)]
    assert caplog.messages == ["retention_out_of_time subscriptions=2"]


def test_a_deleted_subscription_is_erased_and_one_that_is_seen_to_be_empty_is_left_alone(world: World) -> None:
    swept: list[tuple[str, SubscriptionState, int]] = []

    class Eraser:
        def sweep(self, subscription: Subscription, at: datetime, limit: int) -> int:
            swept.append((subscription.subscription_id, subscription.state, limit))
            return world.eraser.sweep(subscription, at, limit)

    world.subscriptions.begin_deletion("mine", world.clock(), "request")
    asked = Asked()
    for _ in range(2):
        retain(world, asked, Eraser())()
    world.clock.advance(hours=1)
    for _ in range(2):
        retain(world, asked, Eraser())()
    assert {who for who, _ in asked.sweeps} == {"yours"}
    assert swept == [
        ("mine", SubscriptionState.DELETING, ERASE_CALLS),
        ("mine", SubscriptionState.DELETED, ERASE_CALLS),
        ("mine", SubscriptionState.DELETED, ERASE_CALLS),
    ]


def test_a_profile_whose_time_is_over_is_removed_and_that_is_recorded(world: World) -> None:
    world.subscriptions.change("mine", SettingsChange(max_age_days=1.0))
    key = world.create(ProfileKind.TEXT_DEPENDENT_VERIFICATION)
    world.clock.advance(hours=23)
    assert retain(world)() == 0
    expired_at = world.clock.advance(hours=1)
    assert retain(world)() == 1
    assert world.stored().keys() == {"tally"}
    last = world.audited()[-1]
    assert (last.action, last.profile, last.at, last.actor.via) == (
        AuditAction.EXPIRE_PROFILE,
        key,
        expired_at,
        "timer",
    )


def ran(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if message.startswith("retention_ran")]


def test_each_tick_says_what_it_did_and_how_old_the_oldest_erasure_is(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        retain(world, Asked())()
        world.subscriptions.begin_deletion("mine", world.clock(), "request")
        world.clock.advance(hours=1.5)
        retain(world, Asked())()
    assert ran(caplog) == [
        "retention_ran subscriptions=2 items=6 erasing=0 oldest_erasure_hours=0.00",
        "retention_ran subscriptions=2 items=3 erasing=1 oldest_erasure_hours=1.50",
    ]


def test_an_erasure_that_is_verified_is_no_backlog(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.subscriptions.begin_deletion("mine", world.clock(), "request")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            world.clock.advance(hours=1)
            retain(world)()
    assert ran(caplog)[-1] == "retention_ran subscriptions=1 items=0 erasing=0 oldest_erasure_hours=0.00"


def test_a_tick_without_storage_does_not_say_that_it_ran(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Down:
        def page(self, after: str | None, limit: int) -> list[Subscription]:
            raise StorageUnavailable

    broken = replace(retain(world), subscriptions=Down())  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO), pytest.raises(StorageUnavailable):
        broken()
    assert ran(caplog) == []
