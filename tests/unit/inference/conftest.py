"""The built models, or a reason to skip."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.inference.embedder import GE2EModel
from shared.inference.model_card import CATALOGUE_FILE, SpeakerCard, read_catalogue
from shared.inference.session import OnnxNetwork


@pytest.fixture(scope="session")
def card() -> SpeakerCard:
    return read_catalogue().speaker("ge2e-1")


@pytest.fixture(scope="session")
def model_file(card: SpeakerCard) -> Path:
    path = CATALOGUE_FILE.parent / card.file.name
    if not path.is_file():
        pytest.skip(f"{path.name} is not built: python dev.py model")
    return path


@pytest.fixture(scope="session")
def model(card: SpeakerCard, model_file: Path) -> GE2EModel:
    return GE2EModel(card, OnnxNetwork(model_file))
