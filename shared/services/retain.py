"""What the timer does, subscription by subscription: whatever is due, and the erasure of what was deleted."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass

from shared.domain.errors import StorageUnavailable
from shared.domain.subscription import Subscription, SubscriptionState
from shared.services.audit import TrimAudit
from shared.services.ports import Clock, SubscriptionEraser, SubscriptionStore, Upkeep

log = logging.getLogger("timbre.retention")

SLICE = 500
"""Items of one subscription per tick; what is left waits for the next tick, so that no subscription starves another."""

ERASE_CALLS = 2_000
"""Calls to storage per tick for one deleted subscription: each erases a recording, or 99 rows."""

SECONDS = 120.0
"""After this a tick begins with no further subscription: a function may run for 3 minutes (``host.json``)."""

PAGE = 1_000


@dataclass(frozen=True)
class Retain:
    """``remove_leftovers`` takes away what earlier versions stored. ``shuffle`` puts the subscriptions in an order of
    chance: none is always the one that a tick has no time for."""

    subscriptions: SubscriptionStore
    upkeep: Upkeep
    eraser: SubscriptionEraser
    trim_audit: TrimAudit
    clock: Clock
    remove_leftovers: Callable[[], object] = lambda: None
    monotonic: Callable[[], float] = time.monotonic
    shuffle: Callable[[MutableSequence[Subscription]], None] = random.shuffle

    def __call__(self) -> int:
        """The number of items worked on. A subscription that fails does not keep the others waiting."""
        started = self.monotonic()
        self.remove_leftovers()
        waiting = [one for one in self._readable() if not _is_over(one)]
        erasing, oldest_hours = self._backlog(waiting)
        self.shuffle(waiting)
        done = 0
        for subscription in waiting:
            if self.monotonic() - started > SECONDS:
                log.warning("retention_out_of_time subscriptions=%d", len(waiting))
                break
            done += self._attempt(subscription)
        log.info(
            "retention_ran subscriptions=%d items=%d erasing=%d oldest_erasure_hours=%.2f",
            len(waiting),
            done,
            erasing,
            oldest_hours,
        )
        return done

    def _backlog(self, waiting: Sequence[Subscription]) -> tuple[int, float]:
        """How many deleted subscriptions are not known to be erased when the tick begins, and the hours since the
        oldest of these deletions."""
        deleted = [one for one in waiting if one.state is not SubscriptionState.ACTIVE]
        now = self.clock()
        hours = [(now - one.deleted_at).total_seconds() / 3600.0 for one in deleted if one.deleted_at is not None]
        return len(deleted), max(hours, default=0.0)

    def _readable(self) -> list[Subscription]:
        """All of them; when a page cannot be understood, one by one without the broken ones."""
        try:
            return list(self._all())
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  as below
            log.error("retention_page_unreadable error=%s", type(error).__name__)
        found = []
        for subscription_id in self.subscriptions.all_ids():
            try:
                found.append(self.subscriptions.get(subscription_id))
            except Exception as error:  # noqa: BLE001  as below
                log.error("retention_failed subscription=%s error=%s", subscription_id, type(error).__name__)
        return found

    def _all(self) -> Iterator[Subscription]:
        after: str | None = None
        while True:
            page = self.subscriptions.page(after, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].subscription_id

    def _attempt(self, subscription: Subscription) -> int:
        try:
            return self._work(subscription)
        except StorageUnavailable:
            log.warning("retention_postponed subscription=%s", subscription.subscription_id)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one subscription, the others are due too
            log.error("retention_failed subscription=%s error=%s", subscription.subscription_id, type(error).__name__)
        return 0

    def _work(self, subscription: Subscription) -> int:
        subscription_id = subscription.subscription_id
        if subscription.state is not SubscriptionState.ACTIVE:
            return self.eraser.sweep(subscription, self.clock(), ERASE_CALLS)
        done = self.upkeep.sweep(subscription_id, self.clock(), SLICE)
        return done + self.trim_audit(subscription_id, SLICE)


def _is_over(subscription: Subscription) -> bool:
    """Erased, and seen to be: never to be looked at again."""
    return subscription.erasure is not None and subscription.erasure.verified_at is not None
