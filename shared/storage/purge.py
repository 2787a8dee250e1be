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
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from shared.domain.erasure import ErasedCounts, Erasure
from shared.domain.errors import StorageUnavailable
from shared.domain.subscription import Subscription
from shared.storage.audit import RowAuditTrail
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.ports import MAX_CHANGES, Blobs, Change, Insert, Remove, Replace, Row, RowConflict, Rows
from shared.storage.backend.row_values import read, written
from shared.storage.layout import ERASED, FIRST_KEY, LAST_KEY, is_operation, subscription_prefix
from shared.storage.profiles.schedule import SETTLED
from shared.storage.subscriptions import RowSubscriptionStore

logger: Final = logging.getLogger(__name__)


class SubscriptionPurge:
    """Implements ``SubscriptionEraser``."""

    def __init__(
        self, voices: Rows, containers: Sequence[Blobs], trail: RowAuditTrail, subscriptions: RowSubscriptionStore
    ) -> None:
        self._voices, self._containers = voices, containers
        self._trail, self._subscriptions = trail, subscriptions

    def sweep(self, subscription: Subscription, at: datetime, limit: int) -> int:
        """One slice of at most ``limit`` steps, of a call or two each; returns how many were made.

        When nothing is left, the completion is written down; when that holds after ``SETTLED``, its verification.
        """
        subscription = self._subscriptions.get(subscription.subscription_id)
        steps = sum(1 for _ in islice(self._steps(subscription), limit))
        if steps < limit:
            self._subscriptions.remove_keys(subscription.subscription_id)
            self._conclude(subscription, at, found=steps > 0)
        return steps

    def _steps(self, subscription: Subscription) -> Iterator[None]:
        """Each erases a blob of any container, or a batch of rows. Blobs go before the rows that name them."""
        subscription_id = subscription.subscription_id
        for container in self._containers:
            for name in container.names(subscription_prefix(subscription_id)):
                container.delete(name)
                yield
        while compare_and_swap(partial(self._erase_rows, subscription), StorageUnavailable()):
            yield
        while self._trail.drop(subscription_id, None, MAX_CHANGES):
            yield

    def _erase_rows(self, subscription: Subscription) -> int:
        """As many as one transaction takes together with the count."""
        subscription_id = subscription.subscription_id
        stored = self._voices.query(subscription_id, FIRST_KEY, LAST_KEY, limit=MAX_CHANGES, select=("blob",))
        rows = [row for row in stored if row.key != ERASED][: MAX_CHANGES - 1]
        if rows:
            counted = self._voices.get(subscription_id, ERASED)
            counts = written(_totals(subscription, counted).plus(_counts(rows)))
            total: Change = Insert(ERASED, counts) if counted is None else Replace(ERASED, counts, counted.etag)
            self._voices.apply(subscription_id, [*(Remove(row.key) for row in rows), total])
        return len(rows)

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
    return read(counted, ErasedCounts)
