"""Change what is noted on a profile, beside its voice: the consent, and how long it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.domain.audit import Actor, AuditAction
from shared.domain.errors import ProfileBusy
from shared.domain.profile import Profile, ProfileKey, RetentionOverride
from shared.services.audit import Audit
from shared.services.ports import ProfileStore

ATTEMPTS = 4
"""How often a lost race is run again before the caller is told that the profile is busy."""


def annotated(profiles: ProfileStore, key: ProfileKey, change: Callable[[Profile], Profile]) -> Profile:
    """Raises ``ProfileNotFound``, ``ProfileBusy``."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return profiles.annotate(change(profiles.get(key)))
        except ProfileBusy:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


@dataclass(frozen=True)
class ChangeProfileRetention:
    profiles: ProfileStore
    audit: Audit

    def __call__(self, actor: Actor, key: ProfileKey, retention: RetentionOverride) -> Profile:
        """In force at once: the profile can be over with the answer. Raises ``ProfileNotFound``, ``ProfileBusy``."""
        with self.audit.of(actor, AuditAction.CHANGE_PROFILE_RETENTION, key):
            return annotated(self.profiles, key, lambda profile: replace(profile, retention=retention))
