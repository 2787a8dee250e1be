"""The package on Azure's own host with production's settings: no connection string, no local key, no hosts file.

Managed identity, storage by token over TLS, a key vault under its real name: ``../shared/key-vault/README.md``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from azure.data.tables import TableServiceClient

from localhost.azurite import Azurite
from tests import azure_host
from tests.azure.certificates import Certificate, certificate
from tests.azure.identity import CLIENT_ID, Identity
from tests.azure.vault import NAME, Vault, running_vault
from tests.service import KEYS, REPOSITORY, RunningService
from tools.packaging.contents import PACKAGES

RESOLVER: Final = Path(__file__).with_name("resolver")


class StorageByToken(Azurite):
    """Azurite over TLS, which takes a token of an identity, as an account without keys does."""

    def __init__(self, certificate: Certificate) -> None:
        super().__init__()
        self._certificate = certificate

    def _command(self) -> list[str]:
        own = self._certificate
        return [*super()._command(), "--oauth", "basic", "--cert", str(own.pem), "--key", str(own.key)]

    def uri(self, service: str) -> str:
        return f"https://127.0.0.1:{self._ports[service]}/devstoreaccount1"

    def tables(self) -> TableServiceClient:
        """Behind the service's back, with the emulator's published key."""
        by_key = self.connection_string.replace("http:", "https:").replace("Protocol=http;", "Protocol=https;")
        return TableServiceClient.from_connection_string(by_key, connection_verify=str(self._certificate.bundle))


@dataclass(frozen=True)
class Production:
    service: RunningService
    identity: Identity
    vault: Vault
    storage: StorageByToken
    settings: dict[str, str]

    def tool(self, name: str) -> subprocess.CompletedProcess[str]:
        """An operator's command, with the app's settings."""
        return subprocess.run(
            [sys.executable, "-m", f"tools.{name}"],
            cwd=REPOSITORY,
            env={**os.environ, **self.settings, "PYTHONPATH": str(RESOLVER)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kill_workers(self) -> None:
        """The host starts another one, which has no token and no data key in memory."""
        before = self._workers()
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while not set(self._workers()) - set(before):
            assert time.monotonic() < deadline, "no worker within a minute"
            time.sleep(0.05)

    def _workers(self) -> list[int]:
        listed = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()[1:]]
        host = self.service.process.pid
        return [int(pid) for pid, parent, args in rows if int(parent) == host and "worker.py" in args]


@contextmanager
def running_production(folder: Path) -> Iterator[Production]:
    own = certificate(folder, NAME)
    app = Path(os.environ[azure_host.APP]) / "app"
    identity = Identity()
    with ExitStack() as stack:
        stack.callback(identity.front.close)
        vault = stack.enter_context(running_vault(folder, own, identity))
        storage = StorageByToken(own)
        stack.enter_context(storage)
        settings = {
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": CLIENT_ID,
            "AzureWebJobsStorage__blobServiceUri": storage.uri("Blob"),
            "VOICE_STORAGE__tableServiceUri": storage.uri("Table"),
            "VOICE_STORAGE__blobServiceUri": storage.uri("Blob"),
            "VOICE_STORAGE__clientId": CLIENT_ID,
            "TIMBRE_KEY_ENCRYPTION": f"vault:{vault.key_uri}",
            "TIMBRE_REQUESTS_PER_SECOND": "0",
            **identity.settings,
            # What stands for Azure's names and authorities here.
            "TIMBRE_TEST_NAMES": f"{NAME}={vault.front.port}",
            "PYTHONPATH": f"{RESOLVER}:{app / PACKAGES}",
            "REQUESTS_CA_BUNDLE": str(own.bundle),
            "SSL_CERT_FILE": str(own.bundle),
        }
        log, key = folder / "service.log", KEYS["TIMBRE_LOCAL_MANAGEMENT_KEY"]
        url, process = stack.enter_context(azure_host.running_host(log, app, settings, key))
        service = RunningService(url, "", key, log, process, is_azure_host=True)
        yield Production(service, identity, vault, storage, settings)
