"""Subscriptions with keys, and which keys open them: for tests of both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.errors import (
    SubscriptionUnknown,
)
from shared.domain.limits import QualityLimits
from shared.domain.subscription import (
    DetailsShown,
    KeySlot,
    ReplayAction,
    Subscription,
    SubscriptionSettings,
)
from shared.storage.key_index import digest
from shared.storage.layout import key_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from shared.storage.subscriptions import RowSubscriptionStore
from tests.contract.cutting import CuttingRows, Scissors
from tests.contract.stores import KEY_ENCRYPTION_KEY, Clock, instance, new_id

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)
LATER = datetime(2026, 11, 23, tzinfo=UTC)
KEYS = {KeySlot.PRIMARY: "first key", KeySlot.SECONDARY: "second key"}
EVERYTHING = SubscriptionSettings(
    max_age_days=30.5, max_idle_days=7.0, verification_threshold=0.625, identification_threshold=0.75,
    max_candidates=7, max_profiles=9, passphrases={"en-US": ("open the door to the garden",)}, require_consent=True,
    keep_identification_audio=False, audit_days=90.0, requests_per_second=2.5, quality=QualityLimits(min_snr_db=12.0),
    enrollment_cohesion=False, lock_settings=True, min_verification_threshold=0.25,
    min_identification_threshold=0.125, min_retention_days=0.5, details=DetailsShown.OFF,
    require_challenge=True, replay_action=ReplayAction.REFUSE, replay_days=7.0,
    calibration=SiteCalibration("m", Calibration(-30.0, 44.0, -2.0, -1.0, 0.0, 0.01, 1.0, 12.0, "calls", 40, 1_000)),
)  # fmt: skip


def created(storage: Storage, settings: SubscriptionSettings | None = None) -> tuple[RowSubscriptionStore, str]:
    store, subscription_id = instance(storage).subscriptions, new_id()
    settings = settings or SubscriptionSettings()
    store.create(Subscription(subscription_id, settings=settings, created_at=NOW), KEYS)
    return store, subscription_id


def cut_store(
    storage: Storage,
    scissors: Scissors,
    now: Callable[[], float] = lambda: 0.0,
    rows: type[CuttingRows] = CuttingRows,
) -> RowSubscriptionStore:
    """Calls of which go through the scissors."""
    data_keys = DataKeys(storage.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
    keys = CuttingRows(storage.keys, scissors)
    return RowSubscriptionStore(rows(storage.subscriptions, scissors), keys, data_keys, Clock(), monotonic=now)


def opens(store: RowSubscriptionStore, *keys: str) -> list[str]:
    """Those of the keys that do."""
    opening = []
    for key in keys:
        with suppress(SubscriptionUnknown):
            store.opened_by(key)[0]
            opening.append(key)
    return opening


def indexed(storage: Storage, *keys: str) -> list[str]:
    return [key for key in keys if storage.keys.get(*key_row(digest(key))) is not None]
