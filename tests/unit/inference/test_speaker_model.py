"""Embeddings, held against Resemblyzer under torch, and scores over signatures; any network of either front end."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.domain.decision import Confidence, Decision
from shared.domain.profile import Signature
from shared.domain.recording import AudioFormat, Recording, Samples, Utterance, Vector
from shared.inference.calibration import UNCALIBRATED_COSINE, scores
from shared.inference.fbank import leveled
from shared.inference.model_card import GE2E_MEL40, KALDI_FBANK80, read_catalogue
from shared.inference.onnx_network import ModelFileMissing, ModelUnfit
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from tests.unit.inference.golden.signals import SECONDS, voice
from tests.unit.inference.networks import fbank_card, pooling_network, put_network

REFERENCE = np.load(Path(__file__).parent / "golden" / "reference.npz")


def utterance(samples: Samples, speech: object = True) -> Utterance:
    mask = np.broadcast_to(np.asarray(speech, np.bool_), samples.shape)
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", 16_000, 1))
    return Utterance(recording, mask, float(mask.sum()) / 16_000, 30.0, 0.0, -25.0)


def signature(direction: Vector, speech_seconds: float = 20.0, model_id: str = "ge2e-1") -> Signature:
    return Signature(direction * np.float32(speech_seconds), model_id, speech_seconds)


@pytest.fixture(scope="module")
def campplus() -> OnnxSpeakerModel:
    return speaker_model(read_catalogue().speaker("campplus-channels-1"))


@pytest.fixture
def small(tmp_path: Path) -> OnnxSpeakerModel:
    put_network(tmp_path, fbank_card())
    return speaker_model(fbank_card(), tmp_path)


@pytest.mark.parametrize("name", SECONDS)
def test_an_embedding_is_that_of_resemblyzer(model: OnnxSpeakerModel, name: str) -> None:
    ours = model.embed_samples(voice(SECONDS[name]))
    np.testing.assert_allclose(ours, REFERENCE[f"embedding {name}"], atol=5e-6)
    assert ours.shape == (256,)
    assert ours.dtype == np.float32
    assert np.linalg.norm(ours) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("level_db", [-80.0, -24.0, 12.0])
def test_the_level_makes_no_difference(model: OnnxSpeakerModel, level_db: float) -> None:
    speech = voice(2.0)
    ours = model.embed(utterance(speech * np.float32(10 ** (level_db / 20))))
    np.testing.assert_allclose(ours, model.embed(utterance(speech)), atol=5e-6)
    assert not leveled(np.zeros(16_000, np.float32), -23.0).any()


def test_only_the_marked_samples_are_embedded(model: OnnxSpeakerModel) -> None:
    speech, hiss = voice(2.0), np.asarray(np.sin(np.arange(16_000) ** 2), np.float32)
    surrounded = utterance(np.r_[hiss, speech, hiss], np.pad(np.ones(32_000), 16_000))
    np.testing.assert_array_equal(model.embed(surrounded), model.embed(utterance(speech)))
    with pytest.raises(ValueError, match="without speech"):
        model.embed(utterance(voice(1.0), speech=False))


def test_speech_longer_than_a_batch_is_the_mean_over_all_its_windows(model: OnnxSpeakerModel) -> None:
    period = voice(77 * 160 / 16_000 * 2)  # two window steps, so that the windows repeat
    once, often = (model.embed(utterance(np.tile(period, times))) for times in (10, 40))
    assert float(once @ often) > 0.999


def test_scores_keep_the_order_of_the_signatures_and_rise_with_likeness(model: OnnxSpeakerModel) -> None:
    own, other = (model.embed(utterance(voice(4.0, pitch_hertz=pitch))) for pitch in (120, 210))
    first, second, third = model.scores(own, 4.0, [signature(other), signature(own), signature(other)])
    assert first == pytest.approx(third, abs=1e-6)
    assert 0.0 <= first < second <= 1.0
    assert model.scores(own, 2.0, []) == []


def test_a_signature_of_another_model_is_never_scored(model: OnnxSpeakerModel) -> None:
    embedding = model.embed(utterance(voice(2.0)))
    with pytest.raises(ValueError, match="not of the model ge2e-1"):
        model.scores(embedding, 2.0, [signature(embedding), signature(embedding, model_id="other-1")])


def test_the_card_chooses_the_front_end_and_names_the_model(model: OnnxSpeakerModel, tmp_path: Path) -> None:
    assert (model.model_id, model.version) == ("ge2e-1", "2023-10-12")
    with pytest.raises(ValueError, match="lacks the settings"):
        speaker_model(replace(fbank_card(), fbank=None), tmp_path)


@pytest.mark.parametrize("seconds", [0.05, 1.0, 21.0])
def test_campplus_hears_speech_of_any_length(campplus: OnnxSpeakerModel, seconds: float) -> None:
    embedding = campplus.embed_samples(np.resize(voice(4.0), round(seconds * 16_000)))
    assert embedding.shape == (192,)
    assert float(np.linalg.norm(embedding)) == pytest.approx(1.0, abs=1e-6)


def test_campplus_tells_voices_apart_whatever_the_level(campplus: OnnxSpeakerModel) -> None:
    """No rectifier behind the last product, so both halves of the line are used: docs/decisions/network.md."""
    embedding = campplus.embed_samples(voice(4.0))
    same, other = campplus.embed_samples(voice(2.5)), campplus.embed_samples(voice(4.0, pitch_hertz=230.0))
    assert float(same @ embedding) > float(other @ embedding) + 0.1
    assert 0.2 < float((embedding < 0).mean()) < 0.8
    for level in (0.4, 0.002, 0.0003):
        assert float(campplus.embed_samples(voice(4.0, level=level)) @ embedding) > 0.999


@pytest.mark.parametrize("dimension", [1, 512])
def test_a_network_of_a_deployments_own_may_have_any_dimension(tmp_path: Path, dimension: int) -> None:
    card = fbank_card(dimension=dimension)
    put_network(tmp_path, card)
    embedding = speaker_model(card, tmp_path).embed(utterance(voice(3.0)))
    assert embedding.shape == (dimension,)
    assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-6)


def test_long_speech_goes_through_in_segments(small: OnnxSpeakerModel) -> None:
    low, high = (small.embed(utterance(voice(4.0, pitch_hertz=pitch))) for pitch in (110, 230))
    longer = small.embed(utterance(np.tile(voice(4.0, pitch_hertz=110), 6)))
    assert float(longer @ low) > max(0.99, float(longer @ high))


@pytest.mark.parametrize(
    ("network", "kind", "message"),
    [
        (None, ModelFileMissing, r"small\.onnx is missing .*python dev\.py model small-1"),
        (pooling_network(25), ModelUnfit, r"small-1 cannot be used: it gives \(25,\) of .*, its card says \(24,\)"),
        (pooling_network(24, bands=40), ModelUnfit, r"fails on features of shape \(1, \d+, 80\)"),
    ],
)
def test_a_file_that_does_not_fit_its_card_is_refused(
    tmp_path: Path, network: bytes | None, kind: type[Exception], message: str
) -> None:
    if network is not None:
        (tmp_path / "small.onnx").write_bytes(network)
    with pytest.raises(kind, match=message):
        speaker_model(fbank_card(), tmp_path).embed(utterance(voice(1.0)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # infinity times zero
@pytest.mark.parametrize("front_end", [KALDI_FBANK80, GE2E_MEL40])
@pytest.mark.parametrize(("dimension", "weight"), [(24, np.nan), (24, np.inf), (24, 0.0), (25, None), (1, None)])
def test_a_vector_that_is_not_finite_or_of_the_wrong_length_is_refused(
    tmp_path: Path, front_end: str, dimension: int, weight: float | None
) -> None:
    card = fbank_card()
    network = pooling_network(dimension, weight=weight)
    if front_end == GE2E_MEL40:
        card = replace(card, front_end=GE2E_MEL40, fbank=None)
        network = pooling_network(dimension, bands=40, weight=weight, names=("mels", "embeddings"))
    (tmp_path / "small.onnx").write_bytes(network)

    with pytest.raises(ModelUnfit, match=rf"gives \({dimension},\) of length .*, its card says \(24,\)"):
        speaker_model(card, tmp_path).embed(utterance(voice(1.0)))


def test_an_uncalibrated_model_says_so_once_in_the_log(
    small: OnnxSpeakerModel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            small.embed(utterance(voice(1.0)))
    assert [record.getMessage().split()[0] for record in caplog.records] == ["model_uncalibrated"]
    assert small.calibration is None


@pytest.mark.parametrize(("above", "accepted"), [(-0.01, False), (0.01, True)])
def test_an_uncalibrated_model_accepts_from_a_high_cosine(tmp_path: Path, above: float, accepted: bool) -> None:
    cosine = UNCALIBRATED_COSINE + above
    enrolled = Signature(np.array([1.0, 0.0], np.float32), "small-1", 10.0)
    tested = np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)
    (score,) = speaker_model(fbank_card(dimension=2), tmp_path).scores(tested, 10.0, [enrolled])
    assert Decision(score).accepted is accepted


@pytest.mark.parametrize("threshold", [0.5, 0.75])
def test_an_uncalibrated_answer_is_never_sure(threshold: float) -> None:
    uncertain = scores(None, np.linspace(-1.0, 1.0, 41), 10.0, np.full(41, 10.0))
    confidences = {Decision(float(score), threshold).confidence for score in uncertain}
    assert confidences <= {Confidence.LOW, Confidence.NORMAL}
