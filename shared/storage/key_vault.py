"""Data keys wrapped by a key in Azure Key Vault, which never leaves it.

Its SDK and azure.identity are imported at the first use: a deployment with a local key never pays for them.
Untried against a real vault; the client's calls are those of azure-keyvault-keys 4.11.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, Final

from azure.core.exceptions import AzureError, HttpResponseError

from shared.domain.errors import SealBroken, StorageUnavailable
from shared.storage.key_encryption import WrappedKey

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.keyvault.keys.crypto import CryptographyClient

logger: Final = logging.getLogger(__name__)

RETRIES: Final = 2
CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 5


class KeyVaultKeyEncryption:
    """RSA-OAEP-256 with the key at ``key_uri``: ``https://<vault>.vault.azure.net/keys/<name>``.

    Without a version, new data keys are wrapped under the newest one; each wrapped key remembers the version it
    needs. The identity needs the role Key Vault Crypto Service Encryption User. ``client_id`` empty: whatever
    ``DefaultAzureCredential`` finds.
    """

    def __init__(self, key_uri: str, client_id: str = "") -> None:
        if not key_uri.startswith("https://") or "/keys/" not in key_uri:
            raise ValueError("A Key Vault key is addressed as https://<vault>/keys/<name>.")
        self._key_uri, self._client_id = key_uri, client_id
        self._lock = Lock()
        self._credential: TokenCredential | None = None
        self._clients: dict[str, CryptographyClient] = {}

    def wrap(self, data_key: bytes) -> WrappedKey:
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        # A fresh client: a client settles on the version it saw first, and would miss a rotation.
        client = self._new_client(self._key_uri)
        try:
            result = client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, data_key)
        except AzureError as error:
            raise _unavailable(error) from None
        return WrappedKey(str(result.key_id), result.encrypted_key)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        if not wrapped.key_id.startswith(f"{self._key_uri}/") and wrapped.key_id != self._key_uri:
            raise SealBroken  # a row that names somebody else's vault would send our wrapped keys there
        try:
            return self._client(wrapped.key_id).unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.wrapped).key
        except HttpResponseError as error:
            if error.status_code == 400:
                raise SealBroken from None
            raise _unavailable(error) from None
        except AzureError as error:
            raise _unavailable(error) from None

    def _client(self, key_id: str) -> CryptographyClient:
        with self._lock:
            known = self._clients.get(key_id)
        if known is None:
            known = self._new_client(key_id)
            with self._lock:
                self._clients[key_id] = known
        return known

    def _new_client(self, key_id: str) -> CryptographyClient:
        from azure.keyvault.keys.crypto import CryptographyClient

        return CryptographyClient(
            key_id,
            self._token_credential(),
            retry_total=RETRIES,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )

    def _token_credential(self) -> TokenCredential:
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

        with self._lock:
            if self._credential is None:
                self._credential = (
                    ManagedIdentityCredential(client_id=self._client_id)
                    if self._client_id
                    else DefaultAzureCredential()
                )
            return self._credential


def _unavailable(error: AzureError) -> StorageUnavailable:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    logger.warning("key_vault_failed error=%s status=%s", type(error).__name__, status)
    return StorageUnavailable()
