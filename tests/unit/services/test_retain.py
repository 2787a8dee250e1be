"""The timer's work over all subscriptions."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.audit import AuditAction
from shared.domain.counts import Counts
from shared.domain.operation import OperationFailed
from shared.domain.subscription import SettingsChange, Subscription, SubscriptionState
from shared.services.ports.keeping import SubscriptionEraser, Upkeep
from shared.services.retain import ERASE_CALLS, SECONDS, SLICE, Retain
from shared.services.sweep import Sweep
from tests.unit.services.spoken import TDV, TII, World, caller


def retain(world: World, upkeep: Upkeep | None = None, eraser: SubscriptionEraser | None = None) -> Retain:
    return Retain(
        Sweep("retention", SECONDS, world.subscriptions, lambda: 0.0, lambda _: None),
        upkeep or world.upkeep,
        eraser or world.eraser,
        world.trail,
        world.clock,
    )


class Counted:
    """Remembers for whom it was called, and how much was wanted at most."""

    def __init__(self) -> None:
        self.sweeps: list[tuple[str, int]] = []

    def sweep(self, subscription_id: str, at: datetime, limit: int) -> int:
        self.sweeps.append((subscription_id, limit))
        return 3

    def count(self, subscription_id: str, so_far: Counts, at: datetime) -> Counts:
        return Counts(counted_at=at)

    def policy_changes(self, subscription_id: str, at: datetime) -> None:
        raise AssertionError

    def replay_changes(self, subscription_id: str, at: datetime) -> None:
        raise AssertionError


def test_what_has_expired_in_any_subscription_is_dropped(world: World) -> None:
    for who in ("mine", "yours"):
        world.operations.record(who, world.clock(), OperationFailed("SpeakerInvalid"))
    assert retain(world)() == 0
    assert world.stored() != {}
    world.clock.advance(hours=24)
    assert retain(world)() == 2
    assert world.stored() == {}
    assert retain(world)() == 0


def test_the_trail_is_kept_as_long_as_the_subscription_says(world: World) -> None:
    world.subscriptions.change("mine", SettingsChange(audit_days=30.0))
    world.create(TII)
    world.clock.advance(days=29)
    world.create(TII)
    world.clock.advance(days=1)
    assert retain(world)() == 2, "both records are moved; thirty days to the microsecond"
    world.clock.advance(microseconds=1)
    assert retain(world)() == 1
    assert [one.at for one in world.audited()] == [datetime(2026, 1, 31, 3, 4, 5, tzinfo=UTC)]


def test_a_deleted_subscription_is_erased_and_one_that_is_seen_to_be_empty_is_left_alone(world: World) -> None:
    swept: list[tuple[str, SubscriptionState, int]] = []

    class Eraser:
        def sweep(self, subscription: Subscription, at: datetime, limit: int) -> int:
            swept.append((subscription.subscription_id, subscription.state, limit))
            return world.eraser.sweep(subscription, at, limit)

    world.subscriptions.begin_deletion("mine", world.clock(), "request")
    counted = Counted()
    for _ in range(2):
        retain(world, counted, Eraser())()
    world.clock.advance(hours=1)
    for _ in range(2):
        retain(world, counted, Eraser())()
    assert counted.sweeps == [("yours", SLICE)] * 4
    assert swept == [
        ("mine", SubscriptionState.DELETING, ERASE_CALLS),
        ("mine", SubscriptionState.DELETED, ERASE_CALLS),
        ("mine", SubscriptionState.DELETED, ERASE_CALLS),
    ]


def test_a_profile_whose_time_is_over_is_removed_and_that_is_recorded(world: World) -> None:
    world.subscriptions.change("mine", SettingsChange(max_age_days=1.0))
    key = world.create(TDV)
    world.clock.advance(hours=23)
    assert retain(world)() == 1, "the record of the creation is moved"
    expired_at = world.clock.advance(hours=1)
    assert retain(world)() == 2, "the profile, and the record of it"
    assert world.stored().keys() == {"tally"}
    last = world.audited()[-1]
    assert (last.action, last.profile, last.at) == (AuditAction.EXPIRE_PROFILE, key, expired_at)
    assert last.actor.via == "timer"


@pytest.mark.parametrize(
    ("off", "said"), [(timedelta(seconds=300), None), (timedelta(seconds=301), "301"), (None, "unknown")]
)
def test_a_clock_that_is_off_stands_still_with_an_alarm(
    world: World, caplog: pytest.LogCaptureFixture, off: timedelta | None, said: str | None
) -> None:
    """Also where no answer of the tick said the time."""
    world.subscriptions.change("mine", SettingsChange(max_age_days=1.0))
    world.create(TDV)
    world.clock.advance(days=2)
    before, world.clock.off = world.stored(), off
    with caplog.at_level(logging.ERROR):
        worked = retain(world)()
    assert (worked > 0, world.stored() == before) == (said is None, said is not None)
    assert caplog.messages == ([f"clock_wrong skew_seconds={said}"] if said else [])


def test_profiles_are_counted_and_unwanted_recognitions_dropped_within_the_hour(world: World) -> None:
    key = world.create(TII)
    wanted = caller(world.subscriptions.change("mine", SettingsChange(recognition_days=1.0)))
    world.audit.recognised(wanted, AuditAction.VERIFY, key, 0.879, accepted=True)
    retain(world)()
    assert world.subscriptions.get("mine").counts == Counts(1, 0, world.clock(), world.clock())
    world.subscriptions.change("mine", SettingsChange(recognition_days=None))
    world.create(TII)
    world.clock.advance(minutes=59)
    retain(world)()
    assert [one.score for one in world.audited() if one.action is AuditAction.VERIFY] == [0.87]
    world.clock.advance(minutes=1)
    retain(world)()
    assert [one for one in world.audited() if one.action is AuditAction.VERIFY] == []
    counts = world.subscriptions.get("mine").counts
    assert counts is not None
    assert (counts.profiles, counts.counted_at) == (2, world.clock())


def ran(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if message.startswith("retention_ran")]


def test_each_tick_says_what_it_did_and_how_old_the_oldest_erasure_is(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        retain(world, Counted())()
        world.subscriptions.begin_deletion("mine", world.clock(), "request")
        world.clock.advance(hours=1.5)
        retain(world, Counted())()
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
