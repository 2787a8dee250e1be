"""The storage account: how it is addressed, and the connections that all its clients share.

Time bounds. An attempt waits 2 s for a connection and 3 s for each part of an answer, and there are at most three
attempts with pauses of at most 1 s in between; a table transaction is a POST, which the SDK sends again only after a
500, 503 or 504. Measured: a storage that accepts and says nothing costs a read 9.8 s, a blob write 10.6 s, a
transaction 3.0 s; a refused connection at most 1.6 s. Then the caller hears ``StorageUnavailable``. The same bounds
hold for the managed identity and for the key vault, which share the connections.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from requests import Session
from requests.adapters import HTTPAdapter

from shared.storage.backend.clock import StorageClock

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 3
RETRIES: Final = 2
BACKOFF_FACTOR_SECONDS: Final = 0.4
MAX_BACKOFF_SECONDS: Final = 1
CONNECTIONS: Final = 32
"""Kept open per host: the worker's threads times the reads that one identify sends at once, with room."""

DEVELOPMENT: Final = "UseDevelopmentStorage=true"
_DEVELOPMENT_ACCOUNT: Final = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)
"""The emulator's published account, the same on every machine. The tables SDK does not know the short form."""


_WITHOUT_BODY: Final = (204, 304)


class ImpatientTransport(RequestsTransport):  # type: ignore[misc]  # azure.core says no type of it
    """Pauses for ``MAX_BACKOFF_SECONDS`` at most: the SDK sleeps out any ``Retry-After``, minutes of it too."""

    def sleep(self, duration: float) -> None:
        super().sleep(min(duration, MAX_BACKOFF_SECONDS))


class StorageTransport(ImpatientTransport):
    """Tells the clock what each answer says, also of a refusal or of an attempt that is made again.

    An answer whose headers were cut is none. Python takes them for whole, and then the SDK takes a transaction that
    storage refused for done, as no part of the answer says otherwise.
    """

    def __init__(self, clock: StorageClock, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock

    def send(self, request: Any, **options: Any) -> Any:
        sent = self._clock.own()
        answer = super().send(request, **options)
        if not _has_whole_headers(answer):
            answer.close()
            raise ServiceResponseError("The headers of an answer were cut.")
        self._clock.hear(answer.headers.get("Date"), sent)
        return answer


@dataclass(frozen=True)
class StorageAccount:
    """Either a connection string, or the two service addresses with the client id of a managed identity.

    ``client_id`` empty: the machine's own identity (or whatever ``DefaultAzureCredential`` finds). ``clock`` learns
    from every answer of storage.
    """

    connection_string: str = field(default="", repr=False)
    table_uri: str = ""
    blob_uri: str = ""
    client_id: str = ""
    clock: StorageClock = field(default_factory=StorageClock, repr=False, compare=False)

    def __post_init__(self) -> None:
        if bool(self.connection_string) == bool(self.table_uri and self.blob_uri):
            raise ValueError("A storage account is a connection string, or the addresses of its two services.")
        if self.connection_string.strip().rstrip(";").lower() == DEVELOPMENT.lower():
            object.__setattr__(self, "connection_string", _DEVELOPMENT_ACCOUNT)
        _silence_sdk_logs()

    @cached_property
    def session(self) -> Session:
        """One pool of connections for every client. The clients must not close it."""
        session = Session()
        # Otherwise requests goes through the whole environment for a proxy, and for a file of passwords, at every call:
        # an eighth of a call's processor time.
        session.trust_env = bool(getproxies())
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    @cached_property
    def transport(self) -> StorageTransport:
        """For tables and blobs."""
        return StorageTransport(self.clock, **self._transport_options)

    @property
    def _transport_options(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "session_owner": False,
            "connection_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "connection_verify": os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True,
        }

    @property
    def client_options(self) -> dict[str, Any]:
        """For every client with azure.core's own retries: all but the blobs', whose SDK has others. The transport is
        for the identity and the vault, whose clocks are not storage's."""
        return {
            "transport": ImpatientTransport(**self._transport_options),
            "retry_total": RETRIES,
            "retry_connect": RETRIES,
            "retry_read": RETRIES,
            "retry_status": RETRIES,
            "retry_backoff_factor": BACKOFF_FACTOR_SECONDS,
            "retry_backoff_max": MAX_BACKOFF_SECONDS,
        }

    @cached_property
    def credential(self) -> TokenCredential:
        """Imported here: it costs 150 ms, and a connection string needs none of it.

        An identity that is away or silent is not asked again here: the vault's and the blobs' clients repeat a request
        that got no token, and retries inside retries would take 30 s; the tables' client gives up at once. An answer
        of 429 or 5xx nobody else repeats, so that is done here. Without bounds of ours the SDK waits five minutes for a
        silent identity, four times over.
        """
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

        options = self.client_options | {"retry_connect": 0, "retry_read": 0}
        if self.client_id:
            return ManagedIdentityCredential(client_id=self.client_id, **options)
        return DefaultAzureCredential(**options)


def _has_whole_headers(answer: Any) -> bool:
    """On a connection that stays open, headers say where the body ends (RFC 9112, section 6.3)."""
    is_chunked = answer.headers.get("Transfer-Encoding", "").lower() == "chunked"
    return is_chunked or answer.headers.get("Content-Length", "").isdigit() or answer.status_code in _WITHOUT_BODY


def _silence_sdk_logs() -> None:
    """The SDKs log every request's URL, which names subscriptions, profiles and blobs; failures are ours to log.

    What the identity has to say about a missing role or token stays: it holds ids of the deployment only.
    """
    for name in ("azure.core", "azure.data", "azure.storage", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("azure.identity", "azure.keyvault"):
        logging.getLogger(name).setLevel(logging.WARNING)
