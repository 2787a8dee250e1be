"""Erases everything of a deleted subscription, in slices.

Its data key is destroyed before this begins, so nothing here can be read any more. Each slice starts from what is
there: recordings, rows, the audit trail, the keys' index. It does not matter where an earlier one was cut off or how
many run at once. How much was erased is counted in the same transactions that erase.

A request that another instance let in before the deletion may still write, sealed or not: its look-up of the key is
remembered for 30 s, it may run for 3 minutes (``host.json``), and storage may be slow. So the partition is looked at
again until ``SETTLED`` has passed since the deletion; only then is the erasure called verified and the subscription
never looked at again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import islice
from typing import Final

from shared.domain.erasure import ErasedCounts, Erasure
from shared.domain.subscription import Subscription
from shared.storage.audit import RowAuditTrail
from shared.storage.backend.ports import (
    MAX_CHANGES,
    Blobs,
    Change,
    Insert,
    Remove,
    Replace,
    Row,
    RowConflict,
    Rows,
    Value,
)
from shared.storage.layout import ERASED, is_operation, subscription_prefix
from shared.storage.profiles.expiry import SETTLED
from shared.storage.subscriptions import RowSubscriptionStore

logger: Final = logging.getLogger(__name__)

FIRST_KEY: Final = " "
LAST_KEY: Final = "~"
"""Every row key lies between: keys are printable ASCII and begin with a word."""

CONFLICTS: Final = 5
"""After so many in a row another instance is at work here; the next tick looks again."""


@dataclass
class _Calls:
    """What is left of a slice, in calls to storage."""

    left: int
    made: int = 0

    def take(self) -> bool:
        if self.left <= 0:
            return False
        self.left, self.made = self.left - 1, self.made + 1
        return True


class SubscriptionPurge:
    """Implements ``SubscriptionEraser``."""

    def __init__(
        self,
        voices: Rows,
        audio: Blobs,
        trail: RowAuditTrail,
        subscriptions: RowSubscriptionStore,
        galleries: Blobs | None = None,
    ) -> None:
        self._voices, self._trail, self._subscriptions = voices, trail, subscriptions
        self._containers = [audio] if galleries is None else [audio, galleries]

    def sweep(self, subscription: Subscription, at: datetime, limit: int) -> int:
        """One slice of at most about ``limit`` calls; returns how many things or batches of things were erased.

        When nothing is left, the completion is written down; when that holds after ``SETTLED``, its verification.
        """
        calls, subscription = _Calls(limit), self._subscriptions.get(subscription.subscription_id)
        emptied = (
            all(self._erase_blobs(subscription.subscription_id, one, calls) for one in self._containers)
            and self._erase_rows(subscription, calls)
            and self._erase_trail(subscription.subscription_id, calls)
        )
        if emptied:
            self._subscriptions.remove_keys(subscription.subscription_id)
            self._conclude(subscription, at, found=calls.made > 0)
        return calls.made

    def _erase_blobs(self, subscription_id: str, container: Blobs, calls: _Calls) -> bool:
        """Recordings and packs go before the rows that name them. True when none is left."""
        names = list(islice(container.names(subscription_prefix(subscription_id)), calls.left + 1))
        for name in names:
            if not calls.take():
                return False
            container.delete(name)
        return True

    def _erase_rows(self, subscription: Subscription, calls: _Calls) -> bool:
        conflicts = 0
        while conflicts < CONFLICTS:
            rows = self._rows(subscription.subscription_id)
            if not rows:
                return True
            if not calls.take():
                return False
            try:
                self._erase_batch(subscription, rows)
            except RowConflict:
                conflicts += 1
        return False

    def _rows(self, subscription_id: str) -> list[Row]:
        """As many as one transaction takes together with the count."""
        rows = self._voices.query(subscription_id, FIRST_KEY, LAST_KEY, limit=MAX_CHANGES, select=("blob",))
        return [row for row in rows if row.key != ERASED][: MAX_CHANGES - 1]

    def _erase_batch(self, subscription: Subscription, rows: Sequence[Row]) -> None:
        counted = self._voices.get(subscription.subscription_id, ERASED)
        counts: dict[str, Value] = {**asdict(_totals(subscription, counted).plus(_counts(rows)))}
        total: Change = Insert(ERASED, counts) if counted is None else Replace(ERASED, counts, counted.etag)
        self._voices.apply(subscription.subscription_id, [*(Remove(row.key) for row in rows), total])

    def _erase_trail(self, subscription_id: str, calls: _Calls) -> bool:
        while True:
            dropped = self._trail.drop(subscription_id, None, MAX_CHANGES)
            if not dropped:
                return True
            if not calls.take():
                return False

    def _conclude(self, subscription: Subscription, at: datetime, *, found: bool) -> None:
        """The record is written before the count is taken away: a cut in between leaves the same count again."""
        subscription_id = subscription.subscription_id
        counted = self._voices.get(subscription_id, ERASED)
        known = subscription.erasure
        completed_at = known.completed_at if known and not found else at
        erasure = Erasure(_totals(subscription, counted), completed_at)
        settled = subscription.deleted_at is None or subscription.deleted_at + SETTLED <= at
        if known and settled and not found:
            erasure = erasure.verified(at)
        if erasure != known:
            try:
                self._subscriptions.note_erasure(subscription_id, erasure, known)
            except RowConflict:
                return  # another instance has written it down: the next tick looks at what it says
            verified = erasure.verified_at is not None
            logger.info("subscription_erased subscription=%s verified=%s", subscription_id, verified)
        if counted is not None:
            with suppress(RowConflict):
                self._voices.apply(subscription_id, [Remove(ERASED, counted.etag)])


def _counts(rows: Sequence[Row]) -> ErasedCounts:
    enrollments = [row for row in rows if row.key.startswith("enrollment:")]
    return ErasedCounts(
        profiles=sum(row.key.startswith("profile:") for row in rows),
        enrollments=len(enrollments),
        recordings=sum("blob" in row.values for row in enrollments),
        operations=sum(is_operation(row.key) for row in rows),
    )


def _totals(subscription: Subscription, counted: Row | None) -> ErasedCounts:
    """What was erased so far. The row in the partition goes on from what the record says, if there is one."""
    if counted is None:
        return subscription.erasure.counts if subscription.erasure else ErasedCounts()
    return ErasedCounts(**{one.name: counted.get(one.name, int) for one in fields(ErasedCounts)})
