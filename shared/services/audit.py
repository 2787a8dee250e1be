"""Write down every change, and let the customer read what was written.

A record is written in the request itself, right after the change, so that it can say how the change went: one insert.
When storage takes the change but not the record, the record goes to the log as an error, under the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from shared.domain.audit import Actor, AuditAction, AuditEntry, AuditOutcome
from shared.domain.errors import (
    GroupNotFound,
    ProfileNotFound,
    RequestInvalid,
    StorageUnavailable,
    SubscriptionConflict,
    SubscriptionNotFound,
    SubscriptionUnknown,
    TimbreError,
)
from shared.domain.page import Page
from shared.domain.profile import ProfileKey
from shared.services.ports import AuditTrail, Clock, Ids

log = logging.getLogger("timbre.audit")

UNRECORDED = (
    RequestInvalid,
    ProfileNotFound,
    GroupNotFound,
    SubscriptionNotFound,
    SubscriptionConflict,
    SubscriptionUnknown,
)
"""Refusals that leave no record: nothing was named that could be changed. So nobody can fill a trail with invented ids,
and nothing is added to the trail of a subscription that is being erased."""


@dataclass(frozen=True)
class Audit:
    trail: AuditTrail
    clock: Clock
    new_id: Ids

    @contextmanager
    def recording(
        self,
        actor: Actor,
        action: AuditAction,
        subject: ProfileKey | str,
        *,
        model_id: str | None = None,
        names: tuple[str, ...] = (),
    ) -> Iterator[None]:
        """Run the change inside; how it ends is recorded. ``subject`` is a profile, or a subscription's id."""
        key = subject if isinstance(subject, ProfileKey) else None
        subscription_id = subject.subscription_id if isinstance(subject, ProfileKey) else subject

        def record(outcome: AuditOutcome, reason: str = "") -> None:
            now = self.clock()
            self.record(
                AuditEntry(subscription_id, self.new_id(), now, actor, action, outcome, reason, key, model_id, names)
            )

        try:
            yield
        except UNRECORDED:
            raise
        except Exception as error:
            refused = isinstance(error, TimbreError) and not isinstance(error, StorageUnavailable)
            record(AuditOutcome.REFUSED if refused else AuditOutcome.UNKNOWN, type(error).__name__)
            raise
        record(AuditOutcome.SUCCEEDED)

    def page(
        self, subscription_id: str, since: datetime | None, until: datetime | None, after: str | None, limit: int
    ) -> Page[AuditEntry]:
        """Records with ``since <= at < until``, the oldest first, those behind the position ``after``."""
        return self.trail.page(subscription_id, since=since, until=until, after=after, limit=limit)

    def record(self, entry: AuditEntry) -> None:
        """Never fails the request: the change is made, and to report an error would have it made twice."""
        try:
            self.trail.record(entry)
        except StorageUnavailable:
            facts = {
                "subscription": entry.subscription_id,
                "entry": entry.entry_id,
                "at": entry.at.isoformat(),
                "via": entry.actor.via,
                "request": entry.actor.request_id,
                "action": entry.action.value,
                "outcome": entry.outcome.value,
                "reason": entry.reason or "-",
                "profile": entry.profile.profile_id if entry.profile else "-",
            }
            log.error("audit_unwritten %s", " ".join(f"{name}={fact}" for name, fact in facts.items()))
