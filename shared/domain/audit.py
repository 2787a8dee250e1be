"""Who changed what and when: one record for each change, of ids, names and the values of settings.

A record never holds a phrase, a vector, audio or a key. It outlives the profile that it names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from shared.domain.access import AccessKey, Role
from shared.domain.errors import RoleTooLow
from shared.domain.group import Candidates
from shared.domain.profile import ProfileKey, RetentionOverride
from shared.domain.subscription import SETTINGS, DetailsShown, Subscription, SubscriptionSettings, Unset
from shared.domain.times import date
from shared.domain.token import Token, TokenOperation

MANAGEMENT: Final = "management"
TIMER: Final = "timer"


def via_key(name: str) -> str:
    return f"key:{name}"


def via_management(key: str) -> str:
    """Told apart by the function key, of which 32 bits of the SHA-256 tell nothing: it is random."""
    return f"{MANAGEMENT}:{sha256(key.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Actor:
    """``via`` says how whoever asked was let in: ``key:<name>``, ``management:<digest>`` (by a function key),
    ``management`` (a command with the settings of the app) or ``timer``.

    ``request_id`` is what the answer says in ``apim-request-id``; the timer gives each of its rounds one.
    """

    via: str
    request_id: str


@dataclass(frozen=True)
class Caller:
    """A customer in one request: its subscription as it was looked up, and the key it came with.

    ``token`` is what it came with in the key's place: ``key`` is then the one that issued it.
    """

    subscription: Subscription
    actor: Actor
    key: AccessKey
    token: Token | None = None

    @property
    def sees_full_scores(self) -> bool:
        """Not so with a token, or a key that may only recognise, unless the subscription's settings say so."""
        if self.subscription.settings.details is DetailsShown.FULL:
            return True
        return self.token is None and self.key.role is not Role.RECOGNISE

    def require(self, needed: Role) -> None:
        """Raises ``RoleTooLow``."""
        if not self.key.role.contains(needed):
            raise RoleTooLow(needed, self.key.role)

    def require_operation(self, admitted: Collection[TokenOperation]) -> None:
        """Whether a token that is for one of these, or a key. Raises ``OutsideToken``, as the two below."""
        if self.token:
            self.token.scope.require(admitted)

    def require_profile(self, profile_id: str | None) -> None:
        """``None``: all of them."""
        if self.token:
            self.token.scope.require_profile(profile_id)

    def require_candidates(self, candidates: Candidates) -> None:
        if self.token:
            self.token.scope.require_candidates(candidates)


class AuditAction(StrEnum):
    """The deletion of a subscription is not among them: its trail goes too, and its row says when and by whom."""

    CREATE_PROFILE = "profile.create"
    ENROLL = "profile.enroll"
    RESET_PROFILE = "profile.reset"
    DELETE_PROFILE = "profile.delete"
    EXPIRE_PROFILE = "profile.expire"
    CHANGE_PROFILE_RETENTION = "profile.retention"
    RECORD_CONSENT = "consent.record"
    WITHDRAW_CONSENT = "consent.withdraw"
    PUT_GROUP = "group.put"
    DELETE_GROUP = "group.delete"
    ADD_TO_GROUP = "group.add"
    TAKE_FROM_GROUP = "group.remove"
    CREATE_SUBSCRIPTION = "subscription.create"
    EXPORT_SUBSCRIPTION = "subscription.export"
    CHANGE_SETTINGS = "settings.change"
    PUT_KEY = "key.put"
    DELETE_KEY = "key.delete"
    REGENERATE_KEY = "key.regenerate"
    VERIFY = "recognition.verify"
    IDENTIFY = "recognition.identify"
    TURNS = "recognition.turns"

    @property
    def is_recognition(self) -> bool:
        return self in (AuditAction.VERIFY, AuditAction.IDENTIFY, AuditAction.TURNS)


class AuditOutcome(StrEnum):
    """``UNKNOWN``: storage failed in the middle; the change may have been made or not. The last two are decisions."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class ChangedValue:
    """``name`` as on the wire, ``before`` and ``after`` as JSON has them."""

    name: str
    before: object
    after: object


@dataclass(frozen=True)
class AuditEntry:
    """``reason`` is the fact behind an outcome that is no success, for example ``SpeechTooShort``.

    ``names`` are the settings that a change named, or the slot of a key; ``changes`` what is different since. ``score``
    is a recognition's, rounded down to two digits.
    """

    subscription_id: str
    entry_id: str
    at: datetime
    actor: Actor
    action: AuditAction
    outcome: AuditOutcome = AuditOutcome.SUCCEEDED
    reason: str = ""
    profile: ProfileKey | None = None
    model_id: str | None = None
    names: tuple[str, ...] = ()
    changes: tuple[ChangedValue, ...] = ()
    score: float | None = None


@dataclass(frozen=True)
class AuditFilter:
    """Which records are wanted: those with ``since <= at < until``, about this profile, of this action."""

    since: datetime | None = None
    until: datetime | None = None
    profile_id: str | None = None
    action: AuditAction | None = None

    @property
    def chooses(self) -> bool:
        """Whether some records of that time are left out."""
        return self.profile_id is not None or self.action is not None

    def wants(self, entry: AuditEntry) -> bool:
        """Of an entry of that time."""
        profile_id = entry.profile.profile_id if entry.profile else None
        return self.profile_id in (None, profile_id) and self.action in (None, entry.action)


def settings_changes(before: SubscriptionSettings, after: SubscriptionSettings) -> tuple[ChangedValue, ...]:
    """What differs, in the order of the table; of phrases only counts, of a calibration only model and digest."""
    return tuple(
        ChangedValue(setting.wire, setting.type.noted(getattr(before, name)), setting.type.noted(getattr(after, name)))
        for name, setting in SETTINGS.items()
        if getattr(before, name) != getattr(after, name)
    )


def retention_changes(before: RetentionOverride, after: RetentionOverride) -> tuple[ChangedValue, ...]:
    """Of one profile; ``subscription`` where it has no days of its own."""

    def noted(days: float | Unset | None) -> object:
        return "subscription" if isinstance(days, Unset) else days

    both = (
        (field.name, getattr(before, field.name), getattr(after, field.name)) for field in fields(RetentionOverride)
    )
    return tuple(ChangedValue(SETTINGS[name].wire, noted(old), noted(new)) for name, old, new in both if old != new)


def key_changes(before: Mapping[str, AccessKey], after: Mapping[str, AccessKey]) -> tuple[ChangedValue, ...]:
    """Of keys by their names: role and end, and nothing of a secret; null where there is no such key."""
    both = [(before.get(name), after.get(name)) for name in sorted({*before, *after})]
    return tuple(
        ChangedValue(name, old, new)
        for was, now in both
        for name, old, new in (
            ("role", was and was.role.value, now and now.role.value),
            ("expiresDateTime", was and date(was.expires_at), now and date(now.expires_at)),
        )
        if old != new
    )
