"""A subscription: whom the voices belong to, and what its owner has set."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.limits import MAX_CANDIDATES, MAX_PROFILES


class SubscriptionState(StrEnum):
    ACTIVE = "active"
    DELETING = "deleting"
    DELETED = "deleted"


class KeySlot(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True)
class SubscriptionSettings:
    max_candidates: int = MAX_CANDIDATES
    max_profiles: int = MAX_PROFILES


@dataclass(frozen=True)
class Subscription:
    subscription_id: str
    state: SubscriptionState = SubscriptionState.ACTIVE
    settings: SubscriptionSettings = field(default_factory=SubscriptionSettings)
