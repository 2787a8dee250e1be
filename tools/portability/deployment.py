"""What both commands need: the app's settings, its storage, the passphrase."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from localhost import settings
from localhost.azurite import Azurite
from localhost.failure import CannotStart
from shared.bootstrap import key_encryption_of
from shared.config import STORAGE, TABLE_URI, Config, read
from shared.domain.subscription import Subscription, SubscriptionState
from shared.services.audit import Audit
from shared.storage.audit import RowAuditTrail
from shared.storage.profiles.groups import RowGroups
from shared.storage.profiles.store import RowProfileStore
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.envelope import Envelope
from shared.storage.sealing.key_encryption import KeyEncryption
from shared.storage.subscriptions import RowSubscriptionStore
from tools.orphans.census import Account
from tools.orphans.owners import azure_account
from tools.portability.reading import SubscriptionReader
from tools.portability.writing import Target

SHORTEST_PASSPHRASE: Final = 12
REPOSITORY: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Deployment:
    """The tables and containers of an account, and what opens them."""

    account: Account
    key_encryption: KeyEncryption

    @property
    def data_keys(self) -> DataKeys:
        return DataKeys(self.account.subscriptions, self.key_encryption)

    def subscription(self, subscription_id: str) -> Subscription:
        """``SubscriptionNotFound``; ``CannotStart`` for one that is not active."""
        found = RowSubscriptionStore(self.account.subscriptions, self.account.keys, self.data_keys).get(subscription_id)
        if found.state is not SubscriptionState.ACTIVE:
            raise CannotStart(f"The subscription is {found.state.value}.")
        return found

    def reader(self, subscription: Subscription) -> SubscriptionReader:
        envelope = Envelope(self.data_keys)
        return SubscriptionReader(
            self.account.voices, self.account.audio, envelope, self._groups(subscription, envelope)
        )

    def target(self, subscription: Subscription) -> Target:
        envelope = Envelope(self.data_keys)
        return Target(
            subscription=subscription,
            voices=self.account.voices,
            audio=self.account.audio,
            envelope=envelope,
            groups=self._groups(subscription, envelope),
            audit=Audit(RowAuditTrail(self.account.audit), now, new_id),
            clock=now,
            new_id=new_id,
        )

    def _groups(self, subscription: Subscription, envelope: Envelope) -> RowGroups:
        voices, policy = self.account.voices, subscription.settings.retention
        profiles = RowProfileStore(voices, self.account.audio, envelope, new_id, policies=lambda _: policy, clock=now)
        return RowGroups(voices, profiles)


@contextmanager
def deployment(data: Path) -> Iterator[Deployment]:
    """By the app's settings: the environment, else ``local.settings.json``. Raises ``CannotStart``, ``ConfigInvalid``.

    Where those name no storage account, the local service's own is opened in its data folder.
    """
    values = settings.load(REPOSITORY) if (REPOSITORY / "local.settings.json").exists() else {}
    environment = dict(os.environ)
    if TABLE_URI.name in environment:
        values.pop(STORAGE.name, None)  # the file's development storage, where Azure's is meant
    own = TABLE_URI.name not in environment and settings.wants_own_storage(values, environment)
    settings.apply(values, environment)
    if not own:
        yield _of(read(environment))
        return
    if not (data / "azurite").is_dir():
        raise CannotStart(f"There is no data of a local service in {data}.")
    with Azurite(data / "azurite") as azurite:
        yield _of(read({**environment, STORAGE.name: azurite.connection_string}))


def passphrase(file: Path) -> bytes:
    """The file's content without the line's end. Raises ``CannotStart``."""
    try:
        content = file.read_bytes().rstrip(b"\r\n")
    except OSError:
        raise CannotStart(f"{file} cannot be read.") from None
    if len(content) < SHORTEST_PASSPHRASE:
        raise CannotStart(f"The passphrase must have at least {SHORTEST_PASSPHRASE} characters.")
    return content


def say(text: str) -> None:
    """Progress: over the line before on a terminal, else nothing."""
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid.uuid4())


def _of(config: Config) -> Deployment:
    return Deployment(azure_account(config.storage), key_encryption_of(config))
