"""What the whole test session shares; each part starts when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localhost.azurite import Azurite
from tests.service import REPOSITORY, RunningService, running_service


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite in memory; `.connection_string` reaches it. Use own table and container names per test."""
    with Azurite() as running:
        yield running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[RunningService]:
    """The real app in the local host, in front of the session's Azurite: tests can look at what it stores."""
    log = tmp_path_factory.mktemp("service") / "service.log"
    with running_service(log, environment={"VOICE_STORAGE": azurite.connection_string}) as running:
        yield running


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder with the development speech, which is not part of the repository."""
    folder = REPOSITORY.parent / "shared" / "speech"
    if not folder.is_dir():
        pytest.skip(f"needs the development speech in {folder}")
    return folder
