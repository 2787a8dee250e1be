"""Counts of profiles, in slices, on every technology."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.counts import Counts
from shared.domain.subscription import SettingsChange
from shared.storage.profiles import counting
from shared.storage.stores import Storage, Stores
from tests.contract.stores import NOW, enroll, instance, new_profile, new_subscription


def test_profiles_are_counted_in_slices_without_those_that_have_expired(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "WALK_SLICE", 2)
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    keys = [stores.profiles.create(new_profile(subscription_id), 10).key for _ in range(5)]
    for key in keys[:2]:
        enroll(stores, key)
    used = NOW + timedelta(days=3)
    stores.profiles.touch(keys[0], used)
    stores.profiles.touch(keys[2], used - timedelta(days=1))
    counts, slices = Counts(), 0
    while counts.counted_at is None:
        counts = stores.upkeep.count(subscription_id, counts, NOW)
        stores.subscriptions.note_counts(subscription_id, counts)
        stored = stores.subscriptions.get(subscription_id)
        slices += 1
        if counts.counted_at is None:
            assert (stored.counts, stored.counting) == (None, counts)
    assert counts == Counts(profiles=5, enrolled=2, last_used_at=used, counted_at=NOW)
    assert (slices, stored.counts, stored.counting) == (3, counts, Counts())

    stores.subscriptions.change(subscription_id, SettingsChange(max_idle_days=2.5))
    late = NOW + timedelta(days=5)
    counts = stores.upkeep.count(subscription_id, Counts(), late)
    while counts.counted_at is None:
        counts = stores.upkeep.count(subscription_id, counts, late)
    assert counts == Counts(profiles=1, enrolled=1, last_used_at=used, counted_at=late)
    stores.subscriptions.note_counts(subscription_id, Counts(counted_at=late))
    assert stores.subscriptions.get(subscription_id).counts == Counts(counted_at=late), (
        "nothing of earlier counts stays"
    )


def test_a_subscription_that_is_deleted_is_not_counted(stores: Stores, subscription_id: str) -> None:
    stores.subscriptions.begin_deletion(subscription_id, NOW, "a request")
    stores.subscriptions.note_counts(subscription_id, Counts(profiles=1, counted_at=NOW))
    assert stores.subscriptions.get(subscription_id).counts is None
