"""Create, read, reset and delete profiles."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from shared.domain.audit import Actor, AuditAction, Caller
from shared.domain.errors import LocaleUnsupported, ProfileBusy
from shared.domain.limits import LOCALES
from shared.domain.page import Page
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.subscription import SubscriptionSettings
from shared.services.audit import Audit
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.ports.keeping import ProfileStore

R = TypeVar("R")

CHANGE_ATTEMPTS: Final = 4
"""How often a lost race is run again before the caller is told that the profile is busy."""


def canonical_locale(received: str, supported: Collection[str] = LOCALES) -> str:
    """The supported locale that is meant: any case, the dash optional. Raises ``LocaleUnsupported``."""
    for locale in supported:
        if received.lower() in (locale.lower(), locale.lower().replace("-", "")):
            return locale
    raise LocaleUnsupported(received, tuple(supported))


def phrases_to_say(settings: SubscriptionSettings, kind: ProfileKind, locale: str) -> tuple[str, ...]:
    """The passphrases of a text-dependent profile, none where speakers choose; or the activation phrases."""
    if kind.needs_phrase:
        return settings.allowed_phrases(locale)
    return settings.activation_phrases_of(locale)


def while_busy(change: Callable[[], R]) -> R:
    """Makes the change again when it has lost a race, which it then decides anew on the profile as it is.

    Raises ``ProfileBusy`` when it loses ``CHANGE_ATTEMPTS`` times in a row.
    """
    for _ in range(1, CHANGE_ATTEMPTS):
        with suppress(ProfileBusy):
            return change()
    return change()


@dataclass(frozen=True)
class Profiles:
    """What names a profile raises ``ProfileNotFound``, and what changes one ``ProfileBusy``. Changes are recorded."""

    store: ProfileStore
    audit: Audit
    clock: Clock
    new_id: Ids

    def create(self, caller: Caller, kind: ProfileKind, locale: str) -> Profile:
        """A new profile without enrollments. The locale is kept as the caller wrote it, as Azure did.

        Raises ``LocaleUnsupported``, ``TooManyProfiles``.
        """
        canonical_locale(locale)
        now = self.clock()
        key = ProfileKey(caller.subscription.subscription_id, kind, self.new_id())
        profile = Profile(key=key, locale=locale, created_at=now, last_action_at=now)
        with self.audit.recording(caller.actor, AuditAction.CREATE_PROFILE, key) as record:
            return self.store.create(profile, caller.subscription.settings.max_profiles, record())

    def get(self, key: ProfileKey) -> Profile:
        return self.store.get(key)

    def page(self, subscription_id: str, kind: ProfileKind, after: str | None, limit: int | None) -> Page[Profile]:
        """In id order, those behind the id ``after``; ``limit`` None: all, which ``max_profiles`` bounds."""
        if limit is None:
            return Page(self.store.list(subscription_id, kind, after=after))
        profiles = self.store.list(subscription_id, kind, after=after, limit=limit + 1)
        return Page.cut(profiles, limit, lambda profile: profile.key.profile_id)

    def reset(self, actor: Actor, key: ProfileKey) -> Profile:
        """Erase the enrollments, unbind the phrase, keep the id."""
        with self.audit.recording(actor, AuditAction.RESET_PROFILE, key) as record:
            return self.store.reset(key, self.clock(), record())

    def erase(self, actor: Actor, key: ProfileKey) -> None:
        """Erase the profile and everything kept of it."""
        with self.audit.recording(actor, AuditAction.DELETE_PROFILE, key) as record:
            self.store.delete(key, self.clock(), record())
