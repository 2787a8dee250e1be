"""A data key for each subscription, stored wrapped in the partition that holds the subscription's own row.

A data key is made together with its subscription and never again: a missing one means that the subscription is
gone, and nothing of it can be read any more.
"""

from __future__ import annotations

import hmac
import logging
import os
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.domain.errors import SealBroken, SubscriptionUnknown
from shared.storage.backend.cache import TimedCache
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.ports import Insert, Remove, Replace, Row, Rows, Value
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row
from shared.storage.sealing.key_encryption import KEY_BYTES, KeyEncryption, WrappedKey

logger: Final = logging.getLogger(__name__)

CACHE_SECONDS: Final = 300.0
"""How long an unwrapped key stays in memory, and so the longest that another instance can read after a destruction."""

MAX_CACHED: Final = 1_000
"""Unwrapped keys in memory; the one unused for longest goes first."""


class DataKeys:
    """``subscriptions`` is the table of subscriptions; ``monotonic`` gives seconds that never run backwards."""

    def __init__(
        self,
        subscriptions: Rows,
        key_encryption: KeyEncryption,
        *,
        cache_seconds: float = CACHE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._rows, self._key_encryption, self._random_bytes = subscriptions, key_encryption, random_bytes
        self._cached = TimedCache[str, bytes](cache_seconds, MAX_CACHED, monotonic)

    def of(self, subscription_id: str) -> bytes:
        """The data key, 32 bytes. ``SubscriptionUnknown`` when it was destroyed, ``SealBroken`` when it is not its."""
        return self._cached.load(subscription_id, lambda: self._unwrapped(subscription_id, self._row(subscription_id)))

    def token_key(self, subscription_id: str) -> bytes:
        """32 bytes that are derived from the data key, and so are gone with it."""
        return self._derived(subscription_id, b"timbre tokens")

    def print_key(self, subscription_id: str) -> bytes:
        """The same, for prints of recordings."""
        return self._derived(subscription_id, b"timbre prints")

    def _derived(self, subscription_id: str, purpose: bytes) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(self.of(subscription_id))

    def creation(self, subscription_id: str) -> Insert:
        """A new key, as a change to be made together with the subscription's row."""
        data_key = self._random_bytes(KEY_BYTES)
        return Insert(data_key_row(subscription_id), self._values(subscription_id, data_key))

    def destruction(self, subscription_id: str) -> Remove:
        """As a change to be made together with the subscription's row; call ``forget`` when it is made."""
        return Remove(data_key_row(subscription_id))

    def forget(self, subscription_id: str) -> None:
        """Drop the key from this process's memory, also where it is just being read."""
        self._cached.forget(subscription_id)

    def rewrap(self, subscription_id: str) -> bool:
        """Put the key under the current key-encryption key, data untouched; False when it is there already.

        Raises ``SubscriptionUnknown`` when the key was destroyed, also in the middle of this.
        """

        def attempt() -> bool:
            row = self._row(subscription_id)
            values = self._values(subscription_id, self._unwrapped(subscription_id, row))
            if values["key_id"] == row.values.get("key_id"):
                return False
            self._rows.apply(SUBSCRIPTIONS_PARTITION, [Replace(row.key, values, row.etag)])
            return True

        return compare_and_swap(attempt)

    def _row(self, subscription_id: str) -> Row:
        row = self._rows.get(SUBSCRIPTIONS_PARTITION, data_key_row(subscription_id))
        if row is None:
            raise SubscriptionUnknown
        return row

    def _values(self, subscription_id: str, data_key: bytes) -> dict[str, Value]:
        wrapped = self._key_encryption.wrap(data_key)
        return {
            "key_id": wrapped.key_id,
            "wrapped": wrapped.wrapped,
            "belongs": _belonging(data_key, subscription_id),
        }

    def _unwrapped(self, subscription_id: str, row: Row) -> bytes:
        key_id, wrapped, belongs = (row.values.get(name) for name in ("key_id", "wrapped", "belongs"))
        try:
            if not (isinstance(key_id, str) and isinstance(wrapped, bytes) and isinstance(belongs, bytes)):
                raise SealBroken
            data_key = self._key_encryption.unwrap(WrappedKey(key_id, wrapped))
            if not hmac.compare_digest(belongs, _belonging(data_key, subscription_id)):
                raise SealBroken
        except SealBroken:
            logger.error("seal_broken subscription=%s what=data_key", subscription_id)
            raise
        return data_key


def _belonging(data_key: bytes, subscription_id: str) -> bytes:
    """Ties a key to its subscription: two swapped rows are noticed before anything is sealed under a wrong key."""
    return hmac.new(data_key, b"timbre data key of " + subscription_id.encode(), sha256).digest()
