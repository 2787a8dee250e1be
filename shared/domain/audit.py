"""Who changed what and when: one record for each change, of ids and names only.

A record never holds a phrase, a vector, audio or a key. It outlives the profile that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.profile import ProfileKey
from shared.domain.subscription import KeySlot, Subscription


class Via(StrEnum):
    """How whoever asked was let in: by one of the subscription's two keys, by the function key, or not from outside."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    MANAGEMENT = "management"
    TIMER = "timer"

    @classmethod
    def key(cls, slot: KeySlot) -> Via:
        return cls(slot.value)


@dataclass(frozen=True)
class Actor:
    """``request_id`` is what the answer says in ``apim-request-id``; the timer gives each of its rounds one."""

    via: Via
    request_id: str


@dataclass(frozen=True)
class Caller:
    """A customer in one request: its subscription as it was looked up, and the key it came with."""

    subscription: Subscription
    actor: Actor


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
    REGENERATE_KEY = "key.regenerate"


class AuditOutcome(StrEnum):
    """``UNKNOWN``: storage failed in the middle; the change may have been made or not."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class AuditEntry:
    """``reason`` is the fact behind an outcome that is no success, for example ``SpeechTooShort``.

    ``names`` are the settings that a change named, or the slot of a key; never their values.
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
