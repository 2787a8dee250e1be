"""What the tests of subscriptions have in common: made ones, keys, and what they open."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.domain.errors import (
    SubscriptionUnknown,
)
from shared.domain.subscription import KeySlot, Subscription, SubscriptionSettings
from shared.storage.layout import key_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from shared.storage.subscription_records import digest
from shared.storage.subscriptions import RowSubscriptionStore
from tests.contract.cutting import CuttingRows, Scissors
from tests.contract.stores import KEY_ENCRYPTION_KEY, instance, new_id

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)
LATER = datetime(2026, 11, 23, tzinfo=UTC)
KEYS = {KeySlot.PRIMARY: "first key", KeySlot.SECONDARY: "second key"}
EVERYTHING = SubscriptionSettings(
    max_age_days=30.5,
    max_idle_days=7.0,
    verification_threshold=0.625,
    identification_threshold=0.75,
    max_candidates=7,
    max_profiles=9,
    passphrases={"en-US": ("open the door to the garden",)},
    require_consent=True,
    keep_identification_audio=False,
    audit_days=90.0,
    requests_per_second=2.5,
)


def created(storage: Storage, settings: SubscriptionSettings | None = None) -> tuple[RowSubscriptionStore, str]:
    store = instance(storage).subscriptions
    subscription_id = new_id()
    new = Subscription(subscription_id, settings=settings or SubscriptionSettings(), created_at=NOW)
    store.create(new, KEYS)
    return store, subscription_id


def cut_store(storage: Storage, scissors: Scissors) -> RowSubscriptionStore:
    data_keys = DataKeys(storage.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
    return RowSubscriptionStore(
        CuttingRows(storage.subscriptions, scissors), CuttingRows(storage.keys, scissors), data_keys
    )


def opens(store: RowSubscriptionStore, key: str) -> bool:
    try:
        store.by_key(key)
    except SubscriptionUnknown:
        return False
    return True


def indexed(storage: Storage, key: str) -> bool:
    return storage.keys.get(*key_row(digest(key))) is not None
