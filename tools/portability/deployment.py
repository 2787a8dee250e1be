"""What both commands need: the app's settings, its storage, the passphrase."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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
from shared.storage.stores import Storage, Stores

SHORTEST_PASSPHRASE: Final = 12
REPOSITORY: Final = Path(__file__).resolve().parents[2]


def active(stores: Stores, subscription_id: str) -> Subscription:
    """``SubscriptionNotFound``; ``CannotStart`` for one that is not active."""
    found = stores.subscriptions.get(subscription_id)
    if found.state is not SubscriptionState.ACTIVE:
        raise CannotStart(f"The subscription is {found.state.value}.")
    return found


def audit_of(stores: Stores) -> Audit:
    return Audit(stores.trail, now, new_id)


@contextmanager
def configured(data: Path) -> Iterator[Config]:
    """The app's settings: the environment, else ``local.settings.json``. Raises ``CannotStart``, ``ConfigInvalid``.

    Where those name no storage account, the local service's own is opened in its data folder.
    """
    values = settings.load(REPOSITORY) if (REPOSITORY / "local.settings.json").exists() else {}
    environment = dict(os.environ)
    if TABLE_URI.name in environment:
        values.pop(STORAGE.name, None)  # the file's development storage, where Azure's is meant
    own = TABLE_URI.name not in environment and settings.wants_own_storage(values, environment)
    settings.apply(values, environment)
    if not own:
        yield read(environment)
        return
    if not (data / "azurite").is_dir():
        raise CannotStart(f"There is no data of a local service in {data}.")
    with Azurite(data / "azurite") as azurite:
        yield read({**environment, STORAGE.name: azurite.connection_string})


@contextmanager
def deployment(data: Path) -> Iterator[Stores]:
    """Raises ``CannotStart``, ``ConfigInvalid``."""
    with configured(data) as config:
        storage = Storage.in_azure(config.storage)
        yield Stores.over(storage.rows, storage.blobs, key_encryption_of(config), now, new_id)


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
