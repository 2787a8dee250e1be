"""What each part of the bench is told, and the service in front of Azurite."""

from __future__ import annotations

import base64
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localhost.azurite import Azurite
from tests.contract.stores import KEY_ENCRYPTION_KEY
from tests.service import RunningService, running_service


@dataclass(frozen=True)
class Run:
    """``quick``: few repetitions and small sizes, to see that everything runs. ``most``: the largest number of
    speakers."""

    quick: bool
    most: int

    def say(self, progress: str) -> None:
        print(f"[{time.strftime('%H:%M:%S')}] {progress}", file=sys.stderr, flush=True)


def settings(azurite: Azurite) -> dict[str, str]:
    """The environment of a service in front of that storage. The key is the one that ``tests.contract.stores`` seals
    with, so that the bench can write rows that the service reads."""
    return {
        "VOICE_STORAGE": azurite.connection_string,
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(KEY_ENCRYPTION_KEY).decode(),
    }


@contextmanager
def serving(azurite: Azurite) -> Iterator[RunningService]:
    """On the local host; under ``bench --azure-host`` on Azure's own. Raises ``AssertionError`` with the service's own
    words when it does not start."""
    with (
        tempfile.TemporaryDirectory(prefix="timbre-bench-") as folder,
        running_service(Path(folder) / "service.log", environment=settings(azurite)) as service,
    ):
        yield service
