"""Key-encryption keys: wrapping, rotation, settings."""

from __future__ import annotations

import os
from base64 import b64encode

import pytest

from shared.domain.errors import SealBroken
from shared.storage.backend.account import StorageAccount
from shared.storage.sealing.key_encryption import LocalKeyEncryption, WrappedKey
from shared.storage.sealing.key_vault import KeyVaultKeyEncryption

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
DATA_KEY = os.urandom(32)
ACCOUNT = StorageAccount("UseDevelopmentStorage=true")


def setting(*keys: bytes) -> str:
    return "local:" + ",".join(b64encode(key).decode() for key in keys)


def test_a_wrapped_key_is_not_the_key_and_unwraps_to_it() -> None:
    keys = LocalKeyEncryption.from_setting(setting(OLD))
    wrapped = keys.wrap(DATA_KEY)
    assert DATA_KEY not in wrapped.wrapped
    assert LocalKeyEncryption(OLD).unwrap(wrapped) == DATA_KEY


def test_an_earlier_key_still_opens_and_the_current_one_wraps() -> None:
    wrapped = LocalKeyEncryption(OLD).wrap(DATA_KEY)
    rotated = LocalKeyEncryption.from_setting(setting(NEW, OLD))
    assert rotated.unwrap(wrapped) == DATA_KEY
    assert LocalKeyEncryption(NEW).unwrap(rotated.wrap(DATA_KEY)) == DATA_KEY


def test_an_unknown_key_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        LocalKeyEncryption(NEW).unwrap(LocalKeyEncryption(OLD).wrap(DATA_KEY))


@pytest.mark.parametrize("wrapped", [b"", b"x" * 7, b"x" * 40, bytes(24)])
def test_what_was_not_wrapped_does_not_unwrap(wrapped: bytes) -> None:
    keys = LocalKeyEncryption(OLD)
    with pytest.raises(SealBroken):
        keys.unwrap(WrappedKey(keys.wrap(DATA_KEY).key_id, wrapped))


@pytest.mark.parametrize(
    "text", ["", "local", "local:", "local:c2hvcnQ=", "local:!!!", "vault:" + "A" * 43 + "=", setting(OLD) + ","]
)
def test_a_setting_that_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="key-encryption key") as caught:
        LocalKeyEncryption.from_setting(text)
    assert "c2hvcnQ" not in str(caught.value)


def test_a_key_id_does_not_tell_the_key() -> None:
    wrapped = LocalKeyEncryption(OLD).wrap(DATA_KEY)
    assert wrapped.key_id.startswith("local:")
    assert len(wrapped.key_id) == len("local:") + 16
    assert repr(wrapped) == f"WrappedKey(key_id='{wrapped.key_id}')"


@pytest.mark.parametrize("uri", ["", "http://vault/keys/k", "https://vault.vault.azure.net/secrets/k", "vault/keys/k"])
def test_a_vault_key_has_an_https_address_of_a_key(uri: str) -> None:
    with pytest.raises(ValueError, match="Key Vault key"):
        KeyVaultKeyEncryption(uri, ACCOUNT)


@pytest.mark.parametrize(
    "key_id", ["https://evil.example/keys/timbre/1", "https://vault.vault.azure.net/keys/timbre2/1", "local:0011"]
)
def test_a_row_cannot_send_a_wrapped_key_to_another_vault_or_key(key_id: str) -> None:
    keys = KeyVaultKeyEncryption("https://vault.vault.azure.net/keys/timbre", ACCOUNT)
    with pytest.raises(SealBroken):
        keys.unwrap(WrappedKey(key_id, b"x" * 256))
