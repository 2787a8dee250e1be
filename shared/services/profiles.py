"""Create, read, reset and delete profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.audit import Actor, AuditAction, Caller
from shared.domain.errors import LocaleUnsupported
from shared.domain.limits import LOCALES_TEXT_DEPENDENT, LOCALES_TEXT_INDEPENDENT
from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.subscription import SubscriptionSettings
from shared.services.audit import Audit
from shared.services.ports import Clock, Ids, ProfileStore


def supported_locales(kind: ProfileKind) -> tuple[str, ...]:
    """Text-dependent profiles need phrases that can be recognised; for the others the locale is a label."""
    if kind is ProfileKind.TEXT_DEPENDENT_VERIFICATION:
        return LOCALES_TEXT_DEPENDENT
    return LOCALES_TEXT_INDEPENDENT


def canonical_locale(received: str, kind: ProfileKind) -> str:
    """The supported locale that is meant: any case, the dash optional. Raises ``LocaleUnsupported``."""
    for locale in supported_locales(kind):
        if received.lower() in (locale.lower(), locale.lower().replace("-", "")):
            return locale
    raise LocaleUnsupported(received, supported_locales(kind))


def phrases_to_say(settings: SubscriptionSettings, kind: ProfileKind, locale: str) -> tuple[str, ...]:
    """The passphrases of a text-dependent profile; for the others the activation phrases of the locale."""
    if kind.needs_phrase:
        return settings.allowed_phrases(locale)
    return ACTIVATION_PHRASES_BY_LOCALE.get(locale, ())


@dataclass(frozen=True)
class CreateProfile:
    profiles: ProfileStore
    audit: Audit
    clock: Clock
    new_id: Ids

    def __call__(self, caller: Caller, kind: ProfileKind, locale: str) -> Profile:
        """A new profile without enrollments. The locale is kept as the caller wrote it, as Azure did.

        Raises
        ------
        LocaleUnsupported
        TooManyProfiles
        """
        canonical_locale(locale, kind)
        now = self.clock()
        key = ProfileKey(caller.subscription.subscription_id, kind, self.new_id())
        profile = Profile(key=key, locale=locale, created_at=now, last_action_at=now)
        with self.audit.of(caller.actor, AuditAction.CREATE_PROFILE, key):
            return self.profiles.create(profile, caller.subscription.settings.max_profiles)


@dataclass(frozen=True)
class ProfilePage:
    """Profiles in id order; ``more`` tells whether others follow."""

    profiles: Sequence[Profile]
    more: bool


@dataclass(frozen=True)
class ReadProfiles:
    profiles: ProfileStore

    def get(self, key: ProfileKey) -> Profile:
        """Raises ``ProfileNotFound``."""
        return self.profiles.get(key)

    def page(
        self, subscription_id: str, kind: ProfileKind, after: str | None = None, limit: int | None = None
    ) -> ProfilePage:
        """Those behind the id ``after``; without a ``limit`` all, which ``max_profiles`` bounds."""
        one_more = None if limit is None else limit + 1
        found = self.profiles.list(subscription_id, kind, after=after, limit=one_more)
        return ProfilePage(found[:limit], more=limit is not None and len(found) > limit)


@dataclass(frozen=True)
class ResetProfile:
    profiles: ProfileStore
    audit: Audit
    clock: Clock

    def __call__(self, actor: Actor, key: ProfileKey) -> Profile:
        """Erase the enrollments, unbind the phrase, keep the id. Raises ``ProfileNotFound``, ``ProfileBusy``."""
        with self.audit.of(actor, AuditAction.RESET_PROFILE, key):
            return self.profiles.reset(key, self.clock())


@dataclass(frozen=True)
class EraseProfile:
    profiles: ProfileStore
    audit: Audit
    clock: Clock

    def __call__(self, actor: Actor, key: ProfileKey) -> None:
        """Erase the profile and everything kept of it. Raises ``ProfileNotFound``, ``ProfileBusy``."""
        with self.audit.of(actor, AuditAction.DELETE_PROFILE, key):
            self.profiles.delete(key, self.clock())
