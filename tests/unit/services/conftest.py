from __future__ import annotations

import pytest

from tests.unit.services.spoken import World


@pytest.fixture
def world() -> World:
    return World()
