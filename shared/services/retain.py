"""What the timers do for each subscription without a model: erase what is due, and keep galleries quick to load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.subscription import Subscription, SubscriptionState
from shared.services.ports.clock_and_ids import ServiceClock
from shared.services.ports.keeping import AuditTrail, Compaction, SubscriptionEraser, Upkeep
from shared.services.sweep import IsOver, Sweep

SLICE: Final = 500
"""Items of one subscription per tick; what is left waits for the next tick, so that no subscription starves another."""

RECORDS: Final = 5_000
"""Audit records moved in a tick, a hundred by two calls: 16 changes a second."""

HOUR: Final = timedelta(hours=1)
"""How old counts of profiles may be: a walk over 10,000 profiles is ten calls."""

ERASE_CALLS: Final = 2_000
"""Calls to storage per tick for one deleted subscription: each erases a recording, or 99 rows."""

TOLERANCE: Final = timedelta(minutes=5)
"""What may lie between a machine's clock and storage's: Azure's machines keep to milliseconds."""

SECONDS: Final = 120.0
"""After this a tick begins with no further subscription."""


@dataclass(frozen=True)
class Retain:
    """``remove_leftovers`` takes away what earlier versions stored."""

    sweep: Sweep
    upkeep: Upkeep
    eraser: SubscriptionEraser
    trail: AuditTrail
    clock: ServiceClock
    remove_leftovers: Callable[[], object] = lambda: None

    def __call__(self) -> int:
        """The number of items worked on."""
        began = self.sweep.monotonic()
        waiting = [subscription for subscription in self.sweep.all() if not _is_over(subscription)]
        if not self._may_erase(began):
            return 0
        self.remove_leftovers()
        done = self.trail.settle_subscriptions(SLICE)
        erasing, oldest_hours = self._backlog(waiting)
        done += self.sweep(waiting, self._work)
        self.sweep.log.info(
            "retention_ran subscriptions=%d items=%d erasing=%d oldest_erasure_hours=%.2f",
            len(waiting),
            done,
            erasing,
            oldest_hours,
        )
        return done

    def _may_erase(self, began: float) -> bool:
        """Whether this machine's clock and storage's agree, by an answer of this tick. When they do not, nobody here
        can tell which of them is wrong, and what is erased does not come back."""
        skew = self.clock.skew(began)
        if skew is not None and skew <= TOLERANCE:
            return True
        seconds = "unknown" if skew is None else f"{skew.total_seconds():.0f}"
        self.sweep.log.error("clock_wrong skew_seconds=%s", seconds)
        return False

    def _backlog(self, waiting: Sequence[Subscription]) -> tuple[int, float]:
        """How many deleted subscriptions are not known to be erased when the tick begins, and the hours since the
        oldest of these deletions."""
        deleted = [subscription for subscription in waiting if subscription.state is not SubscriptionState.ACTIVE]
        times = [subscription.deleted_at for subscription in deleted if subscription.deleted_at is not None]
        now = self.clock()
        return len(deleted), max(((now - time).total_seconds() / 3600.0 for time in times), default=0.0)

    def _work(self, subscription: Subscription, _: IsOver) -> int:
        subscription_id, now = subscription.subscription_id, self.clock()
        if subscription.state is not SubscriptionState.ACTIVE:
            return self.eraser.sweep(subscription, now, ERASE_CALLS)
        done = self.upkeep.sweep(subscription_id, now, SLICE)
        done += self.trail.settle(subscription_id, RECORDS)
        done += self._count(subscription, now)
        done += self._drop_recognitions(subscription, now)
        kept = timedelta(days=subscription.settings.audit_days)
        return done + self.trail.drop(subscription_id, now - kept, RECORDS)

    def _count(self, subscription: Subscription, now: datetime) -> int:
        if not _is_hour_over(subscription, now):
            return 0
        counts = self.upkeep.count(subscription.subscription_id, subscription.counting, now)
        self.sweep.subscriptions.note_counts(subscription.subscription_id, counts)
        return 0 if counts.counted_at else 1

    def _drop_recognitions(self, subscription: Subscription, now: datetime) -> int:
        """Where none are to be recorded any more, those that are there go within the hour."""
        days = subscription.settings.recognition_days
        if days is None and not _is_hour_over(subscription, now):
            return 0
        return self.trail.drop_recognitions(subscription.subscription_id, now - timedelta(days=days or 0.0), RECORDS)


@dataclass(frozen=True)
class CompactGalleries:
    sweep: Sweep
    compaction: Compaction

    def __call__(self) -> int:
        """How much was done."""
        return self.sweep(self.sweep.active(), self._work)

    def _work(self, subscription: Subscription, _: IsOver) -> int:
        return self.compaction.compact(subscription.subscription_id)


def _is_hour_over(subscription: Subscription, now: datetime) -> bool:
    """Whether it is time to walk over the subscription's profiles again."""
    counted_at = subscription.counts.counted_at if subscription.counts else None
    return counted_at is None or counted_at + HOUR <= now


def _is_over(subscription: Subscription) -> bool:
    """Erased, and seen to be: never to be looked at again."""
    return subscription.erasure is not None and subscription.erasure.verified_at is not None
