"""A timer's tick over all subscriptions. Retention, compaction and migration each run one."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from shared.domain.errors import StorageUnavailable
from shared.domain.subscription import Subscription, SubscriptionState
from shared.services.ports.keeping import SubscriptionStore

PAGE: Final = 1_000

IsOver: TypeAlias = Callable[[], bool]
"""Whether the tick's time is over: long work asks now and then, and goes on with the next tick."""


@dataclass(frozen=True)
class Sweep:
    """``timer`` stands before its log lines. ``seconds`` bound a tick: a function may run for 3 minutes (host.json).

    ``shuffle`` puts the subscriptions in an order of chance: none is always the one that a tick has no time for.
    """

    timer: str
    seconds: float
    subscriptions: SubscriptionStore
    monotonic: Callable[[], float] = time.monotonic
    shuffle: Callable[[MutableSequence[Subscription]], None] = random.shuffle
    log: logging.Logger = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "log", logging.getLogger(f"timbre.{self.timer}"))

    def __call__(self, waiting: Sequence[Subscription], work: Callable[[Subscription, IsOver], int]) -> int:
        """The sum of what the work counts. A subscription that fails does not keep the others waiting."""
        until = self.monotonic() + self.seconds
        shuffled, done = list(waiting), 0
        self.shuffle(shuffled)
        for subscription in shuffled:
            if self.monotonic() > until:
                self.log.warning("%s_out_of_time subscriptions=%d", self.timer, len(shuffled))
                break
            try:
                done += work(subscription, lambda: self.monotonic() > until)
            except StorageUnavailable:
                self.log.warning("%s_postponed subscription=%s", self.timer, subscription.subscription_id)
            except Exception as error:  # noqa: BLE001  whatever is wrong with one subscription, the others are due too
                self._failed(subscription.subscription_id, error)
        return done

    def active(self) -> list[Subscription]:
        return [subscription for subscription in self.all() if subscription.state is SubscriptionState.ACTIVE]

    def all(self) -> list[Subscription]:
        """In every state; when a page cannot be understood, one by one without the broken ones."""
        try:
            return list(self._pages())
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  as above
            self.log.error("%s_page_unreadable error=%s", self.timer, type(error).__name__)
        readable = []
        for subscription_id in self.subscriptions.all_ids():
            try:
                readable.append(self.subscriptions.get(subscription_id))
            except Exception as error:  # noqa: BLE001  as above
                self._failed(subscription_id, error)
        return readable

    def _pages(self) -> Iterator[Subscription]:
        after: str | None = None
        while page := self.subscriptions.page(after, PAGE):
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].subscription_id

    def _failed(self, subscription_id: str, error: Exception) -> None:
        self.log.error("%s_failed subscription=%s error=%s", self.timer, subscription_id, type(error).__name__)
