"""Azurite with a folder of its own and the real service in front of it.

So what is written can be looked at, and the service can be killed without its storage.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from localhost.azurite import Azurite
from shared.storage.backend.account import StorageAccount
from shared.storage.stores import Storage
from tests.service import RunningService, running_service
from tools.audit_orphans import Audit, audit
from tools.orphans.owners import azure_strays


@dataclass
class World:
    """One storage account on disk, and the services that were started in front of it one after the other."""

    folder: Path
    azurite: Azurite
    logs: list[Path] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "azurite"

    @property
    def account(self) -> StorageAccount:
        return StorageAccount(connection_string=self.azurite.connection_string)

    @contextmanager
    def service(self, settings: Mapping[str, str] | None = None) -> Iterator[RunningService]:
        log = self.folder / f"service-{len(self.logs)}.log"
        self.logs.append(log)
        environment = {"VOICE_STORAGE": self.azurite.connection_string, **(settings or {})}
        with running_service(log, environment=environment) as running:
            yield running

    def kill(self, service: RunningService) -> None:
        """As a machine that loses power: no handler, no clean-up, no goodbye."""
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()

    def orphans(self) -> Audit:
        account = self.account
        return audit(Storage.in_azure(account), lambda: azure_strays(account), lambda: datetime.now(UTC))


@contextmanager
def world(folder: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(folder, stack.enter_context(Azurite(folder / "azurite")))
