"""Subscriptions as rows, opened by keys of which only the SHA-256 is stored.

The subscription's own row says which two keys open it. A row in the table ``keys`` is only an index to it: it grants
nothing, so a rotation is one change of one row.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from threading import Lock
from typing import Final

from shared.domain.errors import StorageUnavailable, SubscriptionUnknown
from shared.domain.subscription import KeySlot, Subscription, SubscriptionSettings, SubscriptionState
from shared.storage.data_keys import DataKeys
from shared.storage.fields import Fields
from shared.storage.layout import SUBSCRIPTION_PREFIX, SUBSCRIPTIONS_PARTITION, end_of, key_row, subscription_row
from shared.storage.ports import Insert, Merge, Row, RowConflict, RowExists, Rows, Value

LOOK_UP_SECONDS: Final = 30.0
"""How long a key that opened is not looked up again, and so how long a revoked key may still open elsewhere."""

MAX_LOOK_UPS: Final = 1_000

MAX_ATTEMPTS: Final = 10


class RowSubscriptionStore:
    """Implements ``SubscriptionStore``. ``subscriptions`` is the table that ``data_keys`` is in too."""

    def __init__(
        self,
        subscriptions: Rows,
        keys: Rows,
        data_keys: DataKeys,
        *,
        look_up_seconds: float = LOOK_UP_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscriptions, self._keys, self._data_keys = subscriptions, keys, data_keys
        self._look_up_seconds, self._monotonic = look_up_seconds, monotonic
        self._lock = Lock()
        self._opened: OrderedDict[bytes, tuple[float, Subscription, KeySlot]] = OrderedDict()

    def by_key(self, key: str) -> Subscription:
        return self.opened_by(key)[0]

    def opened_by(self, key: str) -> tuple[Subscription, KeySlot]:
        """The active subscription that this key opens, and as which of its two; else ``SubscriptionUnknown``."""
        digest = sha256(key.encode()).digest()
        remembered = self._remembered(digest)
        if remembered is not None:
            return remembered
        subscription, slot = self._look_up(digest)
        with self._lock:
            self._opened[digest] = (self._monotonic() + self._look_up_seconds, subscription, slot)
            while len(self._opened) > MAX_LOOK_UPS:
                self._opened.popitem(last=False)
        return subscription, slot

    def ensure(self, subscription_id: str, keys: Mapping[KeySlot, str]) -> Subscription:
        """Create the subscription with its data key, or give an existing one these keys; a slot that is not
        named keeps its key. Safe to repeat.

        A subscription that is being deleted, or was, stays as it is.
        """
        digests = {slot: sha256(key.encode()).digest() for slot, key in keys.items()}
        for digest in digests.values():
            self._index(digest, subscription_id)
        for _ in range(MAX_ATTEMPTS):
            row = self._row(subscription_id)
            try:
                return self._ensured(subscription_id, row, digests)
            except RowConflict:
                continue
        raise StorageUnavailable(retry_after_seconds=1)

    def all_ids(self) -> Sequence[str]:
        """In every state: what is being deleted needs the timer most."""
        rows = self._subscriptions.query(
            SUBSCRIPTIONS_PARTITION, SUBSCRIPTION_PREFIX, end_of(SUBSCRIPTION_PREFIX), select=()
        )
        return [row.key.removeprefix(SUBSCRIPTION_PREFIX) for row in rows]

    def forget(self) -> None:
        """Drop every remembered look-up of this process: for whoever has just changed a key or a state."""
        with self._lock:
            self._opened.clear()

    def _ensured(self, subscription_id: str, row: Row | None, digests: Mapping[KeySlot, bytes]) -> Subscription:
        if row is None:
            subscription = Subscription(subscription_id)
            insert = Insert(subscription_row(subscription_id), _values(subscription, digests))
            creation = self._data_keys.creation(subscription_id)
            self._subscriptions.apply(SUBSCRIPTIONS_PARTITION, [insert, creation])
            return subscription
        subscription = _subscription(row)
        known = _digests(row)
        new: dict[str, Value] = {_column(slot): digest for slot, digest in digests.items() if known.get(slot) != digest}
        if new and subscription.state is SubscriptionState.ACTIVE:
            self._subscriptions.apply(SUBSCRIPTIONS_PARTITION, [Merge(row.key, new, row.etag)])
            self.forget()
        return subscription

    def _index(self, digest: bytes, subscription_id: str) -> None:
        partition, key = key_row(digest)
        try:
            self._keys.apply(partition, [Insert(key, {"subscription_id": subscription_id})])
        except RowExists:
            self._keys.apply(partition, [Merge(key, {"subscription_id": subscription_id})])

    def _look_up(self, digest: bytes) -> tuple[Subscription, KeySlot]:
        index = self._keys.get(*key_row(digest))
        row = self._row(Fields(index).text("subscription_id")) if index is not None else None
        if row is None:
            raise SubscriptionUnknown
        # Both slots are compared, whichever fits, each in constant time.
        fitting = [slot for slot, stored in _digests(row).items() if hmac.compare_digest(stored, digest)]
        subscription = _subscription(row)
        if not fitting or subscription.state is not SubscriptionState.ACTIVE:
            raise SubscriptionUnknown
        return subscription, fitting[0]

    def _row(self, subscription_id: str) -> Row | None:
        return self._subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(subscription_id))

    def _remembered(self, digest: bytes) -> tuple[Subscription, KeySlot] | None:
        with self._lock:
            found = self._opened.get(digest)
            if found is None:
                return None
            until, subscription, slot = found
            if self._monotonic() >= until:
                del self._opened[digest]
                return None
            self._opened.move_to_end(digest)
            return subscription, slot


def _digests(row: Row) -> dict[KeySlot, bytes]:
    found = {slot: Fields(row).maybe_binary(_column(slot)) for slot in KeySlot}
    return {slot: digest for slot, digest in found.items() if digest is not None}


def _column(slot: KeySlot) -> str:
    return f"{slot.value}_sha256"


def _values(subscription: Subscription, digests: Mapping[KeySlot, bytes]) -> dict[str, Value]:
    values: dict[str, Value] = {
        "state": subscription.state.value,
        "max_candidates": subscription.settings.max_candidates,
        "max_profiles": subscription.settings.max_profiles,
    }
    return values | {_column(slot): digest for slot, digest in digests.items()}


def _subscription(row: Row) -> Subscription:
    values = Fields(row)
    return Subscription(
        subscription_id=row.key.removeprefix(SUBSCRIPTION_PREFIX),
        state=SubscriptionState(values.text("state")),
        settings=SubscriptionSettings(
            max_candidates=values.integer("max_candidates"), max_profiles=values.integer("max_profiles")
        ),
    )
