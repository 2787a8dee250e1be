"""The service and its storage for a part of the bench."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localhost.azurite import Azurite
from tests.contract.stores import KEY_ENCRYPTION_KEY
from tests.service import RunningService, running_service


def settings(azurite: Azurite) -> dict[str, str]:
    """The environment of a service in front of that storage. The key is the one that ``tests.contract.stores`` seals
    with, so that the bench can write rows that the service reads."""
    return {
        "VOICE_STORAGE": azurite.connection_string,
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(KEY_ENCRYPTION_KEY).decode(),
    }


@contextmanager
def serving(azurite: Azurite, folder: Path) -> Iterator[RunningService]:
    """Raises ``AssertionError`` with the service's own words when it does not start."""
    number = sum(1 for _ in folder.glob("service-*.log"))
    with running_service(folder / f"service-{number}.log", environment=settings(azurite)) as service:
        yield service
