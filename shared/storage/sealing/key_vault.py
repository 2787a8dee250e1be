"""Data keys wrapped by a key in Azure Key Vault, which never leaves it.

Its SDK and azure.identity are imported at the first use: a deployment with a local key never pays for them.

Time bounds are the account's, whose connections and identity this uses. The first use of a key's version asks for the
key (a GET, sent up to three times), then unwraps (a POST, sent again only where the vault asks for it). Wrapping needs
the public key alone. Measured: a vault that accepts and says nothing costs 9.8 s, one that falls silent before the
unwrap 3 s, a refused connection 1.4 s, a 429 or 503 4 s whatever its ``Retry-After``.

Tried against an emulator of Key Vault (``tests/azure``): not its roles, its own throttling, nor soft delete.
"""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING, Final

from azure.core.exceptions import AzureError, HttpResponseError

from shared.domain.errors import SealBroken, StorageUnavailable
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.cache import TimedCache
from shared.storage.sealing.key_encryption import WrappedKey

if TYPE_CHECKING:
    from azure.keyvault.keys.crypto import CryptographyClient

logger: Final = logging.getLogger(__name__)

MAX_VERSIONS: Final = 100
"""Of the key, whose clients stay in memory."""

_REFUSALS: Final = (AzureError, ValueError)
"""``ValueError`` is the SDK's word for an address that answers with another vault's challenge."""


class KeyVaultKeyEncryption:
    """RSA-OAEP-256 with the key at ``key_uri``: ``https://<vault>.vault.azure.net/keys/<name>``.

    Without a version, new data keys are wrapped under the newest one; each wrapped key remembers the version it
    needs. The account's identity needs the role Key Vault Crypto Service Encryption User.
    """

    def __init__(self, key_uri: str, account: StorageAccount) -> None:
        if not key_uri.startswith("https://") or "/keys/" not in key_uri:
            raise ValueError("A Key Vault key is addressed as https://<vault>/keys/<name>.")
        self._key_uri, self._account = key_uri, account
        self._clients = TimedCache[str, "CryptographyClient"](inf, MAX_VERSIONS)

    def wrap(self, data_key: bytes) -> WrappedKey:
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        # A fresh client: a client settles on the version it saw first, and would miss a rotation.
        client = self._new_client(self._key_uri)
        try:
            result = client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, data_key)
        except _REFUSALS as error:
            raise _unavailable(error) from None
        return WrappedKey(str(result.key_id), result.encrypted_key)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        if not wrapped.key_id.startswith(f"{self._key_uri}/") and wrapped.key_id != self._key_uri:
            raise SealBroken  # a row that names somebody else's vault would send our wrapped keys there
        try:
            client = self._clients.load(wrapped.key_id, lambda: self._new_client(wrapped.key_id))
            return client.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.wrapped).key
        except HttpResponseError as error:
            if error.status_code == 400:
                raise SealBroken from None
            raise _unavailable(error) from None
        except _REFUSALS as error:
            raise _unavailable(error) from None

    def _new_client(self, key_id: str) -> CryptographyClient:
        from azure.keyvault.keys.crypto import CryptographyClient

        return CryptographyClient(key_id, self._account.credential, **self._account.client_options)


def _unavailable(error: Exception) -> StorageUnavailable:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    logger.warning("key_vault_failed error=%s status=%s", type(error).__name__, status)
    return StorageUnavailable()
