"""Blobs in Azure Storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from shared.storage.backend.account import RETRIES, StorageAccount
from shared.storage.backend.errors import azure_errors, is_container_missing
from shared.storage.backend.ports import Blob
from shared.storage.backend.rules import check_blob_name, check_blob_prefix

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

INITIAL_BACKOFF_SECONDS: Final = 0.4
BACKOFF_BASE: Final = 0.5
"""The n-th pause is the initial one plus this to the power of n. The SDK's own 15 s is no time for a request."""


class AzureBlobs:
    """One container of a storage account, created at the first use in this process if absent.

    The SDK is imported at the first use: it costs 250 ms, and only identification enrollments need blobs.
    """

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account, self._name = account, container
        self._lock = Lock()
        self._ready: ContainerClient | None = None

    def put(self, name: str, content: bytes) -> None:
        check_blob_name(name)
        with azure_errors():
            self._container().upload_blob(name, content, overwrite=True)

    def put_over(self, name: str, content: bytes, etag: str | None) -> bool:
        check_blob_name(name)
        with azure_errors():
            try:
                if etag is None:
                    self._container().upload_blob(name, content)
                else:
                    unchanged = MatchConditions.IfNotModified
                    self._container().upload_blob(name, content, overwrite=True, etag=etag, match_condition=unchanged)
            except (ResourceExistsError, ResourceModifiedError):
                return False
        return True

    def get(self, name: str) -> bytes | None:
        blob = self.get_with_etag(name)
        return None if blob is None else blob.content

    def get_with_etag(self, name: str) -> Blob | None:
        check_blob_name(name)
        with azure_errors():
            try:
                download = self._container().download_blob(name)
                return Blob(download.readall(), download.properties.etag)
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
                self._container().delete_blob(name)
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise

    def _names(self, prefix: str) -> Iterator[str]:
        with azure_errors():
            following = partial(next, iter(self._container().list_blob_names(name_starts_with=prefix)), None)
        while True:
            with azure_errors():
                name = following()
            if name is None:
                return
            yield name

    def _container(self) -> ContainerClient:
        if self._ready is None:
            with self._lock:
                if self._ready is None:
                    self._ready = _created(self._account, self._name)
        return self._ready


def _created(account: StorageAccount, name: str) -> ContainerClient:
    from azure.storage.blob import BlobServiceClient, ExponentialRetry

    retry = ExponentialRetry(
        initial_backoff=INITIAL_BACKOFF_SECONDS,  # type: ignore[arg-type]
        increment_base=BACKOFF_BASE,  # type: ignore[arg-type]
        retry_total=RETRIES,
        random_jitter_range=0,
    )
    if account.connection_string:
        service = BlobServiceClient.from_connection_string(
            account.connection_string, transport=account.transport, retry_policy=retry
        )
    else:
        service = BlobServiceClient(
            account.blob_uri, credential=account.credential, transport=account.transport, retry_policy=retry
        )
    container = service.get_container_client(name)
    with suppress(ResourceExistsError):
        container.create_container()
    return container
