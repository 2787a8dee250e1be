"""Record a speaker's consent, or that it was withdrawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.domain.audit import Actor, AuditAction
from shared.domain.consent import Consent, ConsentRecord
from shared.domain.profile import Profile, ProfileKey
from shared.services.annotate import annotated
from shared.services.audit import Audit
from shared.services.ports import Clock, ProfileStore


@dataclass(frozen=True)
class RecordConsent:
    profiles: ProfileStore
    audit: Audit

    def __call__(self, actor: Actor, key: ProfileKey, record: ConsentRecord) -> Profile:
        """It takes the place of an earlier record and ends a withdrawal. Safe to repeat.

        Raises ``ProfileNotFound``, ``ProfileBusy``.
        """
        with self.audit.of(actor, AuditAction.RECORD_CONSENT, key):
            return annotated(self.profiles, key, lambda profile: replace(profile, consent=Consent(record)))


@dataclass(frozen=True)
class WithdrawConsent:
    profiles: ProfileStore
    audit: Audit
    clock: Clock

    def __call__(self, actor: Actor, key: ProfileKey) -> Profile:
        """The voice data is unreachable on return and erased, and none is taken until a new consent is recorded.

        Whether or not a consent was on record. Raises ``ProfileNotFound``, ``ProfileBusy``.
        """
        with self.audit.of(actor, AuditAction.WITHDRAW_CONSENT, key):
            profile = self.profiles.get(key)
            if profile.consent.withdrawn_at is not None and not profile.enrollments_count:
                return profile
            return self.profiles.withdraw_consent(key, self.clock())
