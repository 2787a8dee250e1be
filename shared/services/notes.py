"""What is noted on a profile apart from its voice: the speaker's consent, and how long the profile is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.domain.audit import Actor, AuditAction, retention_changes
from shared.domain.consent import Consent, ConsentRecord
from shared.domain.profile import Profile, ProfileKey, RetentionOverride
from shared.services.audit import Audit, NewRecord
from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.keeping import ProfileStore
from shared.services.profiles import while_busy


@dataclass(frozen=True)
class ProfileNotes:
    """Each change is safe to repeat, and raises ``ProfileNotFound``, ``ProfileBusy``."""

    profiles: ProfileStore
    audit: Audit
    clock: Clock

    def record_consent(self, actor: Actor, key: ProfileKey, record: ConsentRecord) -> Profile:
        """It takes the place of an earlier record and ends a withdrawal."""
        with self.audit.recording(actor, AuditAction.RECORD_CONSENT, key) as entry:
            return self._annotated(key, lambda profile: replace(profile, consent=Consent(record)), entry)

    def withdraw_consent(self, actor: Actor, key: ProfileKey) -> Profile:
        """The voice data is unreachable on return and erased, and none is taken until a new consent is recorded.

        Whether or not a consent was on record.
        """
        with self.audit.recording(actor, AuditAction.WITHDRAW_CONSENT, key) as entry:
            profile = self.profiles.get(key)
            if profile.consent.withdrawn_at is not None and not profile.enrollments_count:
                return profile
            return self.profiles.withdraw_consent(key, self.clock(), entry())

    def change_retention(self, actor: Actor, key: ProfileKey, retention: RetentionOverride) -> Profile:
        """In force at once: the profile can be over with the answer."""
        with self.audit.recording(actor, AuditAction.CHANGE_PROFILE_RETENTION, key) as entry:
            return self._annotated(key, lambda profile: replace(profile, retention=retention), entry)

    def _annotated(self, key: ProfileKey, change: Callable[[Profile], Profile], entry: NewRecord) -> Profile:
        def annotate() -> Profile:
            before = self.profiles.get(key)
            after = change(before)
            changes = retention_changes(before.retention, after.retention)
            return self.profiles.annotate(after, replace(entry(), changes=changes))

        return while_busy(annotate)
