"""What the timer does: finish every erasure that was cut off and drop what has expired."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.domain.errors import StorageUnavailable
from shared.services.ports import Clock, SubscriptionStore, Upkeep

log = logging.getLogger("timbre.retention")

SLICE = 500
"""Items of one subscription per tick; what is left waits for the next tick, so that no subscription starves another."""


@dataclass(frozen=True)
class Retain:
    subscriptions: SubscriptionStore
    upkeep: Upkeep
    clock: Clock

    def __call__(self) -> int:
        """The number of items worked on. A subscription whose storage fails does not keep the others waiting."""
        done = 0
        for subscription_id in self.subscriptions.all_ids():
            try:
                done += self.upkeep.sweep(subscription_id, self.clock(), SLICE)
            except StorageUnavailable:
                log.warning("retention_postponed subscription=%s", subscription_id)
        return done
