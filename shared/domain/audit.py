"""Who changed what and when: one record for each change, of ids and names only.

A record never holds a phrase, a vector, audio or a key. It outlives the profile that it names.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain.access import AccessKey, Role
from shared.domain.errors import RoleTooLow
from shared.domain.group import Candidates
from shared.domain.profile import ProfileKey
from shared.domain.subscription import Subscription
from shared.domain.token import Token, TokenOperation

MANAGEMENT: Final = "management"
TIMER: Final = "timer"


def via_key(name: str) -> str:
    return f"key:{name}"


@dataclass(frozen=True)
class Actor:
    """``via`` says how whoever asked was let in: ``key:<name>``, ``management`` (by the function key) or ``timer``.

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
