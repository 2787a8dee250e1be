"""Blobs in Azure Storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from shared.storage.backend.account import RETRIES, StorageAccount
from shared.storage.backend.errors import azure_errors, is_container_missing
from shared.storage.backend.rules import check_blob_name, check_blob_prefix

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

INITIAL_BACKOFF_SECONDS: Final = 0.4
BACKOFF_BASE: Final = 0.5
"""The n-th pause is the initial one plus this to the power of n. The SDK's own 15 s is no time for a request."""

BLOCK_BYTES: Final = 8 * 1024 * 1024
"""A larger blob, as a pack of 10,000 speakers and more is, travels in blocks, so that no request outlasts the account's
time bounds."""

READERS: Final = 4
"""Blocks of one blob under way at once."""


class AzureBlobs:
    """One container of a storage account, created at the first use in this process if absent.

    The SDK is imported at the first use: it costs 250 ms, and only identification enrollments need blobs.
    """

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account, self._name = account, container

    def put(self, name: str, content: bytes) -> None:
        check_blob_name(name)
        with azure_errors():
            self._container.upload_blob(name, content, overwrite=True)

    def get(self, name: str) -> bytes | None:
        check_blob_name(name)
        with azure_errors():
            try:
                return self._container.download_blob(name, max_concurrency=READERS).readall()
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise
                return None

    def names(self, prefix: str) -> Iterator[str]:
        check_blob_prefix(prefix)
        return self._names(prefix)

    def delete(self, name: str) -> None:
        check_blob_name(name)
        with azure_errors():
            try:
                self._container.delete_blob(name)
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise

    def _names(self, prefix: str) -> Iterator[str]:
        with azure_errors():
            following = partial(next, iter(self._container.list_blob_names(name_starts_with=prefix)), None)
        while True:
            with azure_errors():
                name = following()
            if name is None:
                return
            yield name

    @cached_property
    def _container(self) -> ContainerClient:
        service = _service(self._account)
        container = service.get_container_client(self._name)
        with suppress(ResourceExistsError):
            container.create_container()
        return container


def _service(account: StorageAccount) -> BlobServiceClient:
    from azure.storage.blob import BlobServiceClient, ExponentialRetry

    retry = ExponentialRetry(
        initial_backoff=INITIAL_BACKOFF_SECONDS,  # type: ignore[arg-type]
        increment_base=BACKOFF_BASE,  # type: ignore[arg-type]
        retry_total=RETRIES,
        random_jitter_range=0,
    )
    options: dict[str, Any] = {
        "transport": account.transport,
        "retry_policy": retry,
        "max_single_put_size": BLOCK_BYTES,
        "max_block_size": BLOCK_BYTES,
        "max_single_get_size": BLOCK_BYTES,
        "max_chunk_get_size": BLOCK_BYTES,
    }
    if account.connection_string:
        return BlobServiceClient.from_connection_string(account.connection_string, **options)
    return BlobServiceClient(account.blob_uri, credential=account.credential, **options)
