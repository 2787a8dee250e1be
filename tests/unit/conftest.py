"""The built models, or a reason to skip."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.inference.model_card import CATALOGUE_FILE, SpeakerCard, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.speaker_model import GE2EModel


@pytest.fixture(scope="session")
def card() -> SpeakerCard:
    return read_catalogue().speaker("ge2e-1")


@pytest.fixture(scope="session")
def model_file(card: SpeakerCard) -> Path:
    return _built(card.file.name)


@pytest.fixture(scope="session")
def model(card: SpeakerCard, model_file: Path) -> GE2EModel:
    return GE2EModel(card, OnnxNetwork(model_file))


@pytest.fixture(scope="session")
def listener() -> RecordingListener:
    card = read_catalogue().voice_activity
    return RecordingListener(VoiceActivity(OnnxNetwork(_built(card.file.name), card.model_id)))


def _built(name: str) -> Path:
    path = CATALOGUE_FILE.parent / name
    if not path.is_file():
        pytest.skip(f"{name} is not built: python dev.py model")
    return path
