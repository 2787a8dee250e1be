"""Key-encryption keys: what wraps the data keys. A local one for development; ``key_vault.py`` has Azure's."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from shared.domain.errors import SealBroken

KEY_BYTES: Final = 32
"""AES-256, for data keys and for the local key-encryption key."""

LOCAL_PREFIX: Final = "local:"


@dataclass(frozen=True)
class WrappedKey:
    """A data key under the key-encryption key (with its version) that ``key_id`` names."""

    key_id: str
    wrapped: bytes = field(repr=False)


class KeyEncryption(Protocol):
    """Both methods may raise ``StorageUnavailable``."""

    def wrap(self, data_key: bytes) -> WrappedKey:
        """Under the current version of the key-encryption key."""

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """With the version that it was wrapped under. ``SealBroken`` when that is unknown or does not open it."""


class LocalKeyEncryption:
    """AES key wrap (RFC 3394) under a key from the settings.

    ``earlier`` keys still open what they wrapped, so that a key can be rotated: put the new one in front, re-wrap,
    take the old one away.
    """

    def __init__(self, current: bytes, earlier: Sequence[bytes] = ()) -> None:
        if any(len(key) != KEY_BYTES for key in (current, *earlier)):
            raise ValueError(f"A key-encryption key has {KEY_BYTES} bytes.")
        self._current = current
        self._by_id = {_local_id(key): key for key in (current, *earlier)}

    @classmethod
    def from_setting(cls, setting: str) -> LocalKeyEncryption:
        """``local:<base64 of 32 bytes>``, then earlier keys in base64 behind commas. The message of the
        ``ValueError`` does not repeat the setting.
        """
        if not setting.startswith(LOCAL_PREFIX):
            raise ValueError(f"A local key-encryption key starts with {LOCAL_PREFIX}")
        try:
            keys = [b64decode(part, validate=True) for part in setting.removeprefix(LOCAL_PREFIX).split(",")]
        except binascii.Error:
            raise ValueError("A local key-encryption key is base64.") from None
        return cls(keys[0], keys[1:])

    def wrap(self, data_key: bytes) -> WrappedKey:
        return WrappedKey(_local_id(self._current), aes_key_wrap(self._current, data_key))

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        key = self._by_id.get(wrapped.key_id)
        if key is None:
            raise SealBroken
        try:
            return aes_key_unwrap(key, wrapped.wrapped)
        except (InvalidUnwrap, ValueError):
            raise SealBroken from None


def _local_id(key: bytes) -> str:
    """Tells keys apart without telling them: 64 bits of a digest over 256 random bits."""
    return LOCAL_PREFIX + sha256(b"timbre key-encryption key" + key).hexdigest()[:16]
