from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.tools.deployment import NETWORK, Deployment
from tests.unit.tools.model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    server = ModelServer(NETWORK)
    yield server
    server.close()


@pytest.fixture
def deployment(tmp_path: Path, server: ModelServer) -> Deployment:
    return Deployment(tmp_path, server)
