"""Data keys under a key vault's key, and a vault in trouble: against a small server with a real key behind real TLS."""

from __future__ import annotations

import json
import logging
import socket
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.domain.errors import SealBroken, StorageUnavailable
from shared.storage.backend.account import StorageAccount
from shared.storage.sealing.key_encryption import WrappedKey
from shared.storage.sealing.key_vault import KeyVaultKeyEncryption
from tests.azure.certificates import Certificate
from tests.azure.front import Asked, Front, Given, given_json
from tests.azure.identity import CLIENT_ID, Identity
from tests.azure.vault import NAME
from tests.integration.storage.conftest import BOUND_SECONDS

KEY_URI = f"https://{NAME}/keys/timbre"
DATA_KEY = bytes(range(32))
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
CHALLENGE = 'Bearer authorization="https://login.microsoftonline.com/a-tenant", resource="https://vault.azure.net"'
FOREIGN = 'Bearer authorization="https://login.example/a-tenant", resource="https://vault.example"'

TROUBLES: dict[str, Callable[[Front], AbstractContextManager[None]]] = {
    "away": lambda front: front.away(),
    "silent": lambda front: front.silent(),
    "refuses": lambda front: front.refusing(given_json(403, {"error": {"code": "Forbidden", "message": "No role."}})),
    "throttles": lambda front: front.refusing(given_json(429, {}, ("Retry-After", "600"))),
    "breaks": lambda front: front.refusing(Given(503, b"", [("Retry-After", "600")])),
    "is another": lambda front: front.refusing(Given(401, b"", [("WWW-Authenticate", FOREIGN)])),
}


class SmallVault:
    """What the SDK asks of a vault: a challenge, the public key of a version, and unwrapping."""

    def __init__(self, certificate: Certificate) -> None:
        self.versions = [rsa.generate_private_key(65537, 2048)]
        self.front = Front(self._answer, certificate.of_server())

    def rotate(self) -> None:
        self.versions.append(rsa.generate_private_key(65537, 2048))

    def _answer(self, asked: Asked) -> Given:
        if not asked.headers.get("authorization"):
            return Given(401, b"", [("WWW-Authenticate", CHALLENGE)])
        version = asked.path.partition("?")[0].split("/")[3] or str(len(self.versions) - 1)
        if not version.isdigit() or int(version) >= len(self.versions):
            return given_json(404, {"error": {"code": "KeyNotFound", "message": "None."}})
        if asked.method == "GET":
            return given_json(200, {"key": self._public(version)})
        wrapped = urlsafe_b64decode(json.loads(asked.body)["value"] + "==")
        try:
            value = self.versions[int(version)].decrypt(wrapped, OAEP)
        except ValueError:
            return given_json(400, {"error": {"code": "BadParameter", "message": "Does not open."}})
        return given_json(200, {"kid": f"{KEY_URI}/{version}", "value": encoded(value)})

    def _public(self, version: str) -> dict[str, Any]:
        numbers = self.versions[int(version)].public_key().public_numbers()
        parts = {"n": encoded(numbers.n.to_bytes(256)), "e": encoded(numbers.e.to_bytes(3))}
        return {"kid": f"{KEY_URI}/{version}", "kty": "RSA", "key_ops": ["wrapKey", "unwrapKey"], **parts}


def encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


@pytest.fixture
def vault(own_certificate: Certificate, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallVault]:
    """Under its name and port 443, for this process."""
    small, resolve = SmallVault(own_certificate), socket.getaddrinfo

    def resolve_vault(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        place = ("127.0.0.1", small.front.port) if host == NAME else (host, port)
        return resolve(*place, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_vault)
    yield small
    small.front.close()


@pytest.fixture
def keys() -> KeyVaultKeyEncryption:
    uri = "https://127.0.0.1:1"
    return KeyVaultKeyEncryption(KEY_URI, StorageAccount(table_uri=uri, blob_uri=uri, client_id=CLIENT_ID))


def test_a_rotated_key_wraps_anew_and_the_version_before_still_opens(
    vault: SmallVault, keys: KeyVaultKeyEncryption
) -> None:
    old = keys.wrap(DATA_KEY)
    vault.rotate()
    new = keys.wrap(DATA_KEY)
    assert (old.key_id, new.key_id) == (f"{KEY_URI}/0", f"{KEY_URI}/1")
    assert DATA_KEY not in old.wrapped + new.wrapped
    assert keys.unwrap(old) == keys.unwrap(new) == DATA_KEY


def test_what_was_changed_is_broken_and_a_version_that_is_not_there_is_not(
    vault: SmallVault, keys: KeyVaultKeyEncryption
) -> None:
    """A version may be back: soft delete keeps it."""
    wrapped = keys.wrap(DATA_KEY)
    with pytest.raises(SealBroken):
        keys.unwrap(WrappedKey(wrapped.key_id, bytes(256)))
    with pytest.raises(StorageUnavailable):
        keys.unwrap(WrappedKey(f"{KEY_URI}/7", wrapped.wrapped))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_vault_in_trouble_is_unavailable_and_then_works_again(
    vault: SmallVault, keys: KeyVaultKeyEncryption, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wrapped = keys.wrap(DATA_KEY)
    for call in (lambda: keys.wrap(DATA_KEY), lambda: keys.unwrap(wrapped)):
        started = time.monotonic()
        with TROUBLES[trouble](vault.front), pytest.raises(StorageUnavailable) as caught:
            call()
        assert time.monotonic() - started < BOUND_SECONDS
        assert caught.value.__suppress_context__
    assert caplog.text.count("key_vault_failed") == 2
    assert not [form for form in (encoded(DATA_KEY), DATA_KEY.hex(), encoded(wrapped.wrapped)) if form in caplog.text]
    assert keys.unwrap(wrapped) == DATA_KEY
    assert keys.unwrap(keys.wrap(DATA_KEY)) == DATA_KEY


def test_an_identity_in_trouble_is_a_vault_in_trouble(
    vault: SmallVault, identity: Identity, keys: KeyVaultKeyEncryption
) -> None:
    wrapped = keys.wrap(DATA_KEY)
    with identity.front.silent():
        for call in (lambda: keys.wrap(DATA_KEY), lambda: keys.unwrap(wrapped)):
            started, before = time.monotonic(), identity.front.asked
            with pytest.raises(StorageUnavailable):
                call()
            assert time.monotonic() - started < BOUND_SECONDS
            assert identity.front.asked - before <= 3, "retries inside retries"
    assert keys.unwrap(wrapped) == DATA_KEY
