"""The taught CAM++ as the service runs it."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.recording import Vector
from shared.inference.model_card import read_catalogue
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from tests.unit.inference.golden.signals import voice


@pytest.fixture(scope="module")
def campplus() -> OnnxSpeakerModel:
    return speaker_model(read_catalogue().speaker("campplus-channels-1"))


@pytest.fixture(scope="module")
def embedding(campplus: OnnxSpeakerModel) -> Vector:
    return campplus.embed_samples(voice(4.0))


def test_an_embedding_has_unit_length(embedding: Vector) -> None:
    assert embedding.shape == (192,)
    assert float(np.linalg.norm(embedding)) == pytest.approx(1.0, abs=1e-6)


def test_both_halves_of_the_line_are_used(embedding: Vector) -> None:
    """No rectifier behind the last product: see docs/decisions/network.md."""
    assert 0.2 < float((embedding < 0).mean()) < 0.8


@pytest.mark.parametrize("level", [0.4, 0.002, 0.0003])
def test_the_level_of_a_recording_makes_no_difference(
    campplus: OnnxSpeakerModel, embedding: Vector, level: float
) -> None:
    assert float(campplus.embed_samples(voice(4.0, level=level)) @ embedding) > 0.999


def test_one_voice_is_more_like_itself_than_like_another(campplus: OnnxSpeakerModel, embedding: Vector) -> None:
    same, other = campplus.embed_samples(voice(2.5)), campplus.embed_samples(voice(4.0, pitch_hertz=230.0))
    assert float(same @ embedding) > float(other @ embedding) + 0.1


@pytest.mark.parametrize("seconds", [0.05, 1.0, 45.0])
def test_speech_of_any_length_is_heard(campplus: OnnxSpeakerModel, seconds: float) -> None:
    assert float(np.linalg.norm(campplus.embed_samples(voice(seconds)))) == pytest.approx(1.0, abs=1e-6)
