"""A tick over all subscriptions: every page, in time, and nobody waits for somebody who fails."""

from __future__ import annotations

import logging

import pytest

from shared.domain.errors import ProfileNotFound, StorageUnavailable
from shared.domain.subscription import KeySlot, Subscription, SubscriptionState
from shared.services import sweep
from shared.services.migrate import Migrate
from shared.services.retain import CompactGalleries
from shared.services.sweep import IsOver, Sweep
from shared.storage.backend.ports import Merge
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, subscription_row
from tests.unit.services.spoken import World


def sweep_of(world: World, seconds_each: float = 0.0) -> Sweep:
    """In the order of ids; each look at the clock takes so long."""
    now = iter(range(1_000))
    return Sweep("test", 100.0, world.subscriptions, lambda: next(now) * seconds_each, lambda _: None)


class Work:
    """Notes whom it was called for; fails for the subscription ``mine``."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.swept: list[str] = []
        self.over: list[bool] = []
        self._failure = failure

    def __call__(self, subscription: Subscription, is_over: IsOver) -> int:
        self.swept.append(subscription.subscription_id)
        self.over.append(is_over())
        if subscription.subscription_id == "mine" and self._failure:
            raise self._failure
        return 3


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (StorageUnavailable(), "test_postponed subscription=mine"),
        (ProfileNotFound("x"), "test_failed subscription=mine error=ProfileNotFound"),
    ],
)
def test_a_subscription_that_fails_does_not_keep_the_others_waiting(
    world: World, caplog: pytest.LogCaptureFixture, failure: Exception, line: str
) -> None:
    tick, work = sweep_of(world), Work(failure)
    with caplog.at_level(logging.WARNING):
        assert tick(tick.all(), work) == 3
    assert (work.swept, work.over) == (["mine", "yours"], [False, False])
    assert caplog.messages == [line]


def test_a_tick_ends_in_time_and_says_so(world: World, caplog: pytest.LogCaptureFixture) -> None:
    tick, work = sweep_of(world, seconds_each=51.0), Work()
    with caplog.at_level(logging.WARNING):
        assert tick(tick.all(), work) == 3
    assert (work.swept, work.over) == (["mine"], [True])
    assert caplog.messages == ["test_out_of_time subscriptions=2"]


def test_an_order_of_chance_leaves_nobody_always_last(world: World) -> None:
    firsts = set()
    for _ in range(64):
        work, tick = Work(), Sweep("test", 100.0, world.subscriptions)
        tick(tick.all(), work)
        firsts.add(work.swept[0])
    assert firsts == {"mine", "yours"}, "by chance in one of 2 ** 63 runs not"


def test_a_subscription_that_cannot_be_read_is_gone_round(world: World, caplog: pytest.LogCaptureFixture) -> None:
    broken = Merge(subscription_row("mine"), {"state": "no such state"})
    world.subscriptions._subscriptions.apply(SUBSCRIPTIONS_PARTITION, [broken])
    with caplog.at_level(logging.ERROR):
        assert [one.subscription_id for one in sweep_of(world).all()] == ["yours"]
    assert caplog.messages == [
        "test_page_unreadable error=ValueError",
        "test_failed subscription=mine error=ValueError",
    ]


def test_without_storage_no_tick_begins(world: World) -> None:
    class Down:
        def page(self, after: str | None, limit: int) -> list[Subscription]:
            raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        Sweep("test", 100.0, Down()).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("others", [0, 1, 2, 3])
def test_migration_and_compaction_walk_every_page_of_active_subscriptions(
    world: World, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "PAGE", 2)
    ids = ["mine", "yours", *(f"other-{number}" for number in range(others))]
    for subscription_id in ids[2:]:
        world.subscriptions.ensure(subscription_id, {KeySlot.PRIMARY: f"the key of {subscription_id}"})
    deleting = world.subscriptions.begin_deletion("mine", world.clock(), "request")
    assert deleting.state is SubscriptionState.DELETING
    compacted = []

    class Compaction:
        def compact(self, subscription_id: str) -> int:
            compacted.append(subscription_id)
            return 1

    tick = sweep_of(world)
    assert CompactGalleries(tick, Compaction())() == len(ids) - 1
    Migrate(tick, world.migrations, world.listener, world.model, world.clock)()
    assert sorted(compacted) == sorted(ids[1:])
    assert [one for one in ids if world.migrations.progress(one) is None] == ["mine"]
