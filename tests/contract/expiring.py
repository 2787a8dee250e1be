"""Subscriptions with a retention policy, and what the index of expiry holds for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.audit import AuditEntry, AuditFilter
from shared.domain.errors import ProfileNotFound
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.subscription import SettingsChange, Subscription, SubscriptionSettings
from shared.storage.layout import due_row
from shared.storage.stores import Storage, Stores
from tests.contract.stores import NOW, everything, keys_of, new_id, new_profile

KINDS = list(ProfileKind)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def keeping(stores: Stores, age: float | None = None, idle: float | None = None) -> str:
    """A new subscription with this policy."""
    subscription_id = new_id()
    settings = SubscriptionSettings(max_age_days=age, max_idle_days=idle)
    stores.subscriptions.create(Subscription(subscription_id, settings=settings), {})
    return subscription_id


def change_policy(stores: Stores, subscription_id: str, at: datetime, age: float | None) -> None:
    """As the use case does: the walk is begun before the change."""
    stores.upkeep.policy_changes(subscription_id, at)
    stores.subscriptions.change(subscription_id, SettingsChange(max_age_days=age))


def index(storage: Storage, subscription_id: str) -> list[str]:
    return keys_of(everything(storage, subscription_id), "due:")


def armed(at: datetime, key: ProfileKey) -> str:
    return due_row(at, "expire", f"{key.kind.value}:{key.profile_id}")


def assert_absent(stores: Stores, key: ProfileKey) -> None:
    """For every method, each in the words that an id which never was gets."""
    profiles = stores.profiles
    calls: list[Callable[[], object]] = [
        lambda: profiles.get(key),
        lambda: profiles.get_with_signature(key),
        lambda: profiles.get_many_with_signatures([key]),
        lambda: profiles.annotate(replace(new_profile(key.subscription_id), key=key, version="1  ")),
        lambda: profiles.reset(key, NOW),
        lambda: profiles.withdraw_consent(key, NOW),
        lambda: profiles.delete(key, NOW),
    ]
    for call in calls:
        with pytest.raises(ProfileNotFound) as caught:
            call()
        assert str(caught.value) == str(ProfileNotFound(key.profile_id))
    assert key not in [one.key for one in profiles.list(key.subscription_id, key.kind)]


def trail(stores: Stores, subscription_id: str) -> list[AuditEntry]:
    return list(stores.trail.page(subscription_id, AuditFilter(), after=None, limit=100).items)


def sweep(stores: Stores, subscription_id: str, at: datetime) -> None:
    while stores.upkeep.sweep(subscription_id, at, 100):
        pass
