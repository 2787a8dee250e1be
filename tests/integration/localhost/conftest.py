from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.localhost.sample_app import ENVIRONMENT, write_sample_app
from tests.service import RunningService, running_service


@dataclass(frozen=True)
class Sample:
    service: RunningService
    folder: Path


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """The sample app, running."""
    folder = write_sample_app(tmp_path_factory.mktemp("sample") / "app")
    log = folder.parent / "host.log"
    with running_service(log, "--app", str(folder), environment=ENVIRONMENT) as service:
        yield Sample(service, folder)
