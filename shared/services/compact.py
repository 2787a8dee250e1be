"""What the timer does for the galleries of all subscriptions."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass

from shared.domain.errors import StorageUnavailable
from shared.domain.subscription import SubscriptionState
from shared.services.ports import Compaction, SubscriptionStore

log = logging.getLogger("timbre.compaction")

SECONDS = 120.0
"""After this a tick begins with no further subscription: a function may run for 3 minutes (``host.json``)."""

PAGE = 1_000


@dataclass(frozen=True)
class CompactGalleries:
    """``shuffle`` puts the subscriptions in an order of chance: none is always the one that a tick has no time for."""

    subscriptions: SubscriptionStore
    compaction: Compaction
    monotonic: Callable[[], float] = time.monotonic
    shuffle: Callable[[MutableSequence[str]], None] = random.shuffle

    def __call__(self) -> int:
        """How much was done. A subscription that fails does not keep the others waiting."""
        started, done = self.monotonic(), 0
        waiting = self._active()
        self.shuffle(waiting)
        for subscription_id in waiting:
            if self.monotonic() - started > SECONDS:
                log.warning("compaction_out_of_time subscriptions=%d", len(waiting))
                break
            done += self._attempt(subscription_id)
        return done

    def _active(self) -> list[str]:
        found: list[str] = []
        after: str | None = None
        while True:
            page = self.subscriptions.page(after, PAGE)
            found += [one.subscription_id for one in page if one.state is SubscriptionState.ACTIVE]
            if len(page) < PAGE:
                return found
            after = page[-1].subscription_id

    def _attempt(self, subscription_id: str) -> int:
        try:
            return self.compaction.compact(subscription_id)
        except StorageUnavailable:
            log.warning("compaction_postponed subscription=%s", subscription_id)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one subscription, the others are due too
            log.error("compaction_failed subscription=%s error=%s", subscription_id, type(error).__name__)
        return 0
