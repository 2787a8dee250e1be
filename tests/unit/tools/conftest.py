from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.azure.front import answering
from tests.unit.tools.deployment import Deployment, ModelServer


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    server = ModelServer()
    with answering(server) as url:
        server.url = f"{url}/model.onnx"
        yield Deployment(tmp_path, server)
