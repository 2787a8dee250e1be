"""Which subscription a key may open: the table ``keys``, by the SHA-256 of each key.

It is only an index, and grants nothing: the subscription's own row says which keys open it.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

from shared.storage.backend.ports import Insert, Merge, Remove, RowConflict, RowExists, Rows
from shared.storage.layout import key_row


def digest(key: str) -> bytes:
    """All that is stored of a key."""
    return sha256(key.encode()).digest()


class KeyIndex:
    def __init__(self, keys: Rows) -> None:
        self._keys = keys

    def owner(self, hashed: bytes) -> str | None:
        row = self._keys.get(*key_row(hashed))
        return None if row is None else row.get("subscription_id", str)

    def put(self, hashed: bytes, subscription_id: str) -> None:
        partition, key = key_row(hashed)
        try:
            self._keys.apply(partition, [Insert(key, {"subscription_id": subscription_id})])
        except RowExists:
            self._keys.apply(partition, [Merge(key, {"subscription_id": subscription_id})])

    def remove(self, hashed: bytes, subscription_id: str) -> None:
        """Silent where it is another subscription's."""
        row = self._keys.get(*key_row(hashed))
        if row is not None and row.get("subscription_id", str) == subscription_id:
            with suppress(RowConflict):  # gone, or given to another one meanwhile
                self._keys.apply(row.partition, [Remove(row.key, row.etag)])
