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
        outcome, reason, there = AuditOutcome.SUCCEEDED, "", True
        try:
            yield
        except TimbreError as refusal:
            there = not isinstance(refusal, UNRECORDED)
            unsure = isinstance(refusal, StorageUnavailable)
            outcome, reason = AuditOutcome.UNKNOWN if unsure else AuditOutcome.REFUSED, type(refusal).__name__
            raise
        except Exception as defect:
            outcome, reason = AuditOutcome.UNKNOWN, type(defect).__name__
            raise
        finally:
            if there:
                profile = subject if isinstance(subject, ProfileKey) else None
                subscription_id = subject.subscription_id if isinstance(subject, ProfileKey) else subject
                self.record(
                    AuditEntry(
                        subscription_id=subscription_id,
                        entry_id=self.new_id(),
                        at=self.clock(),
                        actor=actor,
                        action=action,
                        outcome=outcome,
                        reason=reason,
                        profile=profile,
                        model_id=model_id,
                        names=names,
                    )
                )

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
            log.error(
                "audit_unwritten subscription=%s entry=%s at=%s via=%s request=%s action=%s outcome=%s reason=%s "
                "profile=%s",
                entry.subscription_id,
                entry.entry_id,
                entry.at.isoformat(),
                entry.actor.via.value,
                entry.actor.request_id,
                entry.action.value,
                entry.outcome.value,
                entry.reason or "-",
                entry.profile.profile_id if entry.profile else "-",
            )
