"""Write down every change, and let the customer read what was written.

The record of a change is written by the transaction that makes the change. A refusal is recorded by an insert of its
own; when storage does not take that, the record goes to the log as an error, under the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, TypeAlias

from shared.domain.audit import Actor, AuditAction, AuditEntry, AuditFilter, AuditOutcome, Caller
from shared.domain.decision import in_two_digits
from shared.domain.errors import (
    GroupNotFound,
    KeyNotFound,
    ProfileNotFound,
    RequestInvalid,
    StorageUnavailable,
    SubscriptionConflict,
    SubscriptionNotFound,
    SubscriptionUnknown,
    TimbreError,
)
from shared.domain.page import Page
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.subscription import Subscription
from shared.domain.turns import NamedTurns
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.ports.keeping import AuditTrail

log = logging.getLogger("timbre.audit")

UNRECORDED = (
    RequestInvalid,
    ProfileNotFound,
    GroupNotFound,
    KeyNotFound,
    SubscriptionNotFound,
    SubscriptionConflict,
    SubscriptionUnknown,
)
"""Refusals that leave no record: nothing was named that could be changed. So nobody can fill a trail with invented ids,
and nothing is added to the trail of a subscription that is being erased."""


NewRecord: TypeAlias = Callable[[], AuditEntry]
"""The record that a change takes along: of the moment when it is first asked for, and the same ever after."""


@dataclass(frozen=True)
class Audit:
    trail: AuditTrail
    clock: Clock
    new_id: Ids

    def entry(self, actor: Actor, action: AuditAction, subject: ProfileKey | str, **facts: Any) -> AuditEntry:
        """Of now, under a new id."""
        key = subject if isinstance(subject, ProfileKey) else None
        subscription_id = subject.subscription_id if isinstance(subject, ProfileKey) else subject
        return AuditEntry(subscription_id, self.new_id(), self.clock(), actor, action, profile=key, **facts)

    @contextmanager
    def recording(
        self,
        actor: Actor,
        action: AuditAction,
        subject: ProfileKey | str,
        *,
        model_id: str | None = None,
        names: tuple[str, ...] = (),
    ) -> Iterator[NewRecord]:
        """Run the change inside, which takes its record along. ``subject`` is a profile, or a subscription's id.

        A failure is recorded here, under the same id: if the change was made all the same, its own record counts.
        """
        record = cache(lambda: self.entry(actor, action, subject, model_id=model_id, names=names))
        try:
            yield record
        except UNRECORDED:
            raise
        except Exception as error:
            refused = isinstance(error, TimbreError) and not isinstance(error, StorageUnavailable)
            outcome = AuditOutcome.REFUSED if refused else AuditOutcome.UNKNOWN
            self.record(replace(record(), outcome=outcome, reason=type(error).__name__))
            raise

    def recognised(
        self, caller: Caller, action: AuditAction, profile: ProfileKey | None, score: float | None, *, accepted: bool
    ) -> None:
        """Where the subscription wants it. ``profile`` is the one that was verified or identified."""
        self._recognised(caller.subscription, caller.actor, action, profile, score, accepted=accepted)

    def turns(self, subscription: Subscription, actor: Actor, found: NamedTurns) -> bool:
        """Likewise, of each speaker who has a name; where nobody has one, of the best score. Whether anybody has."""
        named = [(speaker.speaker, speaker.score) for speaker in found.speakers if speaker.score is not None]
        record = partial(self._recognised, subscription, actor, AuditAction.TURNS)
        for profile_id, score in named:
            key = ProfileKey(subscription.subscription_id, ProfileKind.IDENTIFICATION, profile_id)
            record(key, score, accepted=True)
        if not named:
            best = max((score for speaker in found.speakers for _, score in speaker.ranking), default=None)
            record(None, best, accepted=False)
        return bool(named)

    def _recognised(
        self,
        subscription: Subscription,
        actor: Actor,
        action: AuditAction,
        profile: ProfileKey | None,
        score: float | None,
        *,
        accepted: bool,
    ) -> None:
        if subscription.settings.recognition_days is None:
            return
        outcome = AuditOutcome.ACCEPTED if accepted else AuditOutcome.REJECTED
        rounded = None if score is None else in_two_digits(score)
        subject = profile or subscription.subscription_id
        self.record(self.entry(actor, action, subject, outcome=outcome, score=rounded))

    def page(self, subscription_id: str, wanted: AuditFilter, after: str | None, limit: int) -> Page[AuditEntry]:
        """The wanted records, the oldest first, those behind the position ``after``."""
        return self.trail.page(subscription_id, wanted, after=after, limit=limit)

    def record(self, entry: AuditEntry) -> None:
        """Never fails the request, whose own answer says what happened."""
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
