"""Embeddings, held against Resemblyzer under torch; scores over signatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.domain.profile import Signature
from shared.domain.recording import AudioFormat, Recording, Samples, Utterance, Vector
from shared.inference.fbank import leveled
from shared.inference.speaker_model import GE2EModel
from tests.unit.inference.golden.signals import SECONDS, voice

REFERENCE = np.load(Path(__file__).parent / "golden" / "reference.npz")


def utterance(samples: Samples, speech: object = True) -> Utterance:
    mask = np.broadcast_to(np.asarray(speech, np.bool_), samples.shape)
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", 16_000, 1))
    return Utterance(recording, mask, float(mask.sum()) / 16_000, 30.0, 0.0, -25.0)


def signature(direction: Vector, speech_seconds: float = 20.0, model_id: str = "ge2e-1") -> Signature:
    return Signature(direction * np.float32(speech_seconds), model_id, speech_seconds)


@pytest.mark.parametrize("name", SECONDS)
def test_an_embedding_is_that_of_resemblyzer(model: GE2EModel, name: str) -> None:
    ours = model.embed_samples(voice(SECONDS[name]))
    np.testing.assert_allclose(ours, REFERENCE[f"embedding {name}"], atol=5e-6)


@pytest.mark.parametrize("level_db", [-80.0, -24.0, 0.0, 12.0])
def test_the_level_makes_no_difference(model: GE2EModel, level_db: float) -> None:
    speech = voice(2.0)
    ours = model.embed(utterance(speech * np.float32(10 ** (level_db / 20))))
    np.testing.assert_allclose(ours, model.embed(utterance(speech)), atol=5e-6)


def test_digital_silence_keeps_its_level() -> None:
    np.testing.assert_array_equal(leveled(np.zeros(16_000, np.float32), -23.0), np.zeros(16_000, np.float32))


def test_an_embedding_has_unit_length_and_the_cards_dimension(model: GE2EModel) -> None:
    embedding = model.embed(utterance(voice(2.0)))
    assert embedding.shape == (256,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-6)


def test_only_the_marked_samples_are_embedded(model: GE2EModel) -> None:
    speech = voice(2.0)
    hiss = np.asarray(np.sin(np.arange(16_000) ** 2), np.float32)
    marked = np.r_[np.zeros(16_000), np.ones(32_000), np.zeros(16_000)]
    surrounded = utterance(np.r_[hiss, speech, hiss], marked)
    np.testing.assert_array_equal(model.embed(surrounded), model.embed(utterance(speech)))


def test_speech_longer_than_a_batch_is_the_mean_over_all_its_windows(model: GE2EModel) -> None:
    period = voice(77 * 160 / 16_000 * 2)  # two window steps, so that the windows repeat
    once, often = (model.embed(utterance(np.tile(period, times))) for times in (10, 40))
    assert float(once @ often) > 0.999


def test_an_utterance_without_speech_is_refused(model: GE2EModel) -> None:
    with pytest.raises(ValueError, match="without speech"):
        model.embed(utterance(voice(1.0), speech=False))


def test_scores_keep_the_order_of_the_signatures_and_rise_with_likeness(model: GE2EModel) -> None:
    own = model.embed(utterance(voice(4.0, pitch_hertz=120)))
    other = model.embed(utterance(voice(4.0, pitch_hertz=210)))
    scores = model.scores(own, 4.0, [signature(other), signature(own), signature(other)])
    assert scores[0] == pytest.approx(scores[2], abs=1e-6)
    assert scores[0] < scores[1]
    assert all(0.0 <= score <= 1.0 for score in scores)


def test_no_signatures_give_no_scores(model: GE2EModel) -> None:
    assert model.scores(model.embed(utterance(voice(2.0))), 2.0, []) == []


def test_a_signature_of_another_model_is_never_scored(model: GE2EModel) -> None:
    embedding = model.embed(utterance(voice(2.0)))
    with pytest.raises(ValueError, match="not of the model ge2e-1"):
        model.scores(embedding, 2.0, [signature(embedding), signature(embedding, model_id="other-1")])


def test_the_model_names_itself_and_its_date(model: GE2EModel) -> None:
    assert (model.model_id, model.version) == ("ge2e-1", "2023-10-12")
