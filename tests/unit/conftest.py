"""The built models, or a reason to skip."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.inference.model_card import CATALOGUE_FILE, SpeakerCard, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model


@pytest.fixture(scope="session")
def card() -> SpeakerCard:
    return read_catalogue().speaker("ge2e-1")


@pytest.fixture(scope="session")
def model_file(card: SpeakerCard) -> Path:
    return _built(card.file.name)


@pytest.fixture(scope="session")
def model(card: SpeakerCard, model_file: Path) -> OnnxSpeakerModel:
    return speaker_model(card)


@pytest.fixture(scope="session")
def listener() -> RecordingListener:
    card = read_catalogue().voice_activity
    _built(card.file.name)
    return RecordingListener(VoiceActivity(OnnxNetwork(card)))


def _built(name: str) -> Path:
    path = CATALOGUE_FILE.parent / name
    if not path.is_file():
        pytest.skip(f"{name} is not built: python dev.py model")
    return path
