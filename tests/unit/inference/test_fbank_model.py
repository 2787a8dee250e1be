"""Models with the front end kaldi-fbank80, of any dimension, calibrated or not."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.domain.decision import Confidence, Decision
from shared.domain.profile import Signature
from shared.inference.calibration import UNCALIBRATED_COSINE, scores
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import ModelFileMissing, ModelUnfit
from shared.inference.speaker_model import FbankModel, GE2EModel, speaker_model
from tests.unit.inference.golden.signals import voice
from tests.unit.inference.networks import fbank_card, pooling_network, put_network
from tests.unit.inference.test_speaker_model import utterance


def test_the_card_chooses_the_front_end(tmp_path: Path) -> None:
    assert isinstance(speaker_model(fbank_card(), tmp_path), FbankModel)
    assert isinstance(speaker_model(read_catalogue().speaker("ge2e-1"), tmp_path), GE2EModel)


@pytest.mark.parametrize("dimension", [1, 24, 512])
def test_an_embedding_has_unit_length_and_the_cards_dimension(tmp_path: Path, dimension: int) -> None:
    card = fbank_card(dimension=dimension)
    put_network(tmp_path, card)
    embedding = speaker_model(card, tmp_path).embed(utterance(voice(3.0)))
    assert embedding.shape == (dimension,)
    assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-6)


def test_voices_differ_and_one_voice_is_like_itself(tmp_path: Path) -> None:
    put_network(tmp_path, fbank_card())
    model = speaker_model(fbank_card(), tmp_path)
    low, again, high = (model.embed(utterance(voice(4.0, pitch_hertz=pitch))) for pitch in (110, 110, 230))
    assert float(low @ again) > float(low @ high)


def test_speech_of_minutes_goes_through_in_segments(tmp_path: Path) -> None:
    put_network(tmp_path, fbank_card())
    model = speaker_model(fbank_card(), tmp_path)
    minute = model.embed(utterance(voice(60.0)))
    assert float(minute @ model.embed(utterance(voice(20.0)))) > 0.99


def test_a_missing_file_is_named_with_the_command_that_installs_this_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing, match=r"small\.onnx is missing .*python dev\.py model small-1"):
        speaker_model(fbank_card(), tmp_path).embed(utterance(voice(1.0)))


def test_a_network_of_another_dimension_than_its_card_is_refused(tmp_path: Path) -> None:
    card = fbank_card(dimension=24)
    (tmp_path / card.file.name).write_bytes(pooling_network(25))
    with pytest.raises(ModelUnfit, match=r"small-1 cannot be used: it gives \(25,\), its card says \(24,\)"):
        speaker_model(card, tmp_path).embed(utterance(voice(1.0)))


def test_a_network_of_another_front_end_is_refused(tmp_path: Path) -> None:
    card = fbank_card()
    (tmp_path / card.file.name).write_bytes(pooling_network(card.dimension, bands=40))
    with pytest.raises(ModelUnfit, match=r"fails on features of shape \(1, \d+, 80\)"):
        speaker_model(card, tmp_path).embed(utterance(voice(1.0)))


def test_a_card_without_the_front_ends_settings_makes_no_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lacks the settings"):
        speaker_model(replace(fbank_card(), fbank=None), tmp_path)


def test_an_uncalibrated_model_says_so_once_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put_network(tmp_path, fbank_card())
    model = speaker_model(fbank_card(), tmp_path)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            model.embed(utterance(voice(1.0)))
    assert [record.getMessage().split()[0] for record in caplog.records] == ["model_uncalibrated"]
    assert model.calibration is None


def test_an_uncalibrated_model_accepts_from_a_high_cosine(tmp_path: Path) -> None:
    model = speaker_model(fbank_card(dimension=2), tmp_path)
    enrolled = Signature(np.array([1.0, 0.0], np.float32), "small-1", 10.0)
    for cosine, accepted in ((UNCALIBRATED_COSINE - 0.01, False), (UNCALIBRATED_COSINE + 0.01, True)):
        tested = np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)
        (score,) = model.scores(tested, 10.0, [enrolled])
        assert Decision(score).accepted is accepted


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.75])
def test_an_uncalibrated_answer_is_never_sure(threshold: float) -> None:
    found = scores(None, np.linspace(-1.0, 1.0, 41), 10.0, np.full(41, 10.0))
    assert {Decision(float(score), threshold).confidence for score in found} <= {Confidence.LOW, Confidence.NORMAL}
