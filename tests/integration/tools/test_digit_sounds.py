"""Weights of digits from a few synthetic readings tell the digits of another."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.inference.digit_sounds import DigitSounds, WordFrames
from shared.inference.digits import SphinxDigitRecogniser
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from tests.integration.inference.test_digits import spoken
from tests.integration.inference.test_passphrase import utterance_of
from tests.voices import lower
from tools.models import digit_sounds

READINGS = ("0918273645", "5463728190")
OTHER = "2938475610"


def test_weights_of_two_readings_tell_the_digits_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1)
    with (tmp_path / "readings.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "digits", "voice"))
        for number, digits in enumerate(READINGS):
            voice = lower(spoken(digits), 1.0 - 0.1 * number)
            soundfile.write(tmp_path / f"{digits}.wav", voice + noise.normal(0.0, 3e-4, len(voice)), 16_000)
            rows.writerow((f"{digits}.wav", digits, number))
    made = tmp_path / "sounds.npz"
    monkeypatch.setattr(digit_sounds, "LINES", digit_sounds.LINES[:2])
    monkeypatch.setattr(sys, "argv", ["digit_sounds", str(tmp_path / "readings.csv"), "--out", str(made)])
    assert digit_sounds.main() == 0
    with np.load(made) as ours, np.load(CATALOGUE_FILE.parent / "digit-sounds-en-us.npz") as shipped:
        assert [(name, ours[name].shape, ours[name].dtype) for name in ours] == [
            (name, shipped[name].shape, shipped[name].dtype) for name in shipped
        ]
    network = OnnxNetwork(read_catalogue().phrases)
    utterance = utterance_of(lower(spoken(OTHER), 0.95))
    words = SphinxDigitRecogniser(read_catalogue().digits, network).lay(utterance, OTHER, "en-US")
    places = [WordFrames(word.start_frame, word.end_frame) for word in words]
    assert (DigitSounds(network, made).margins(utterance, [places], OTHER) > 0.0).all()


def test_the_fit_reaches_the_least_of_its_loss() -> None:
    """No step from the weights makes the slope of likelihood and ridge other than zero."""
    random = np.random.default_rng(2)
    digits = np.arange(600) % 10
    centres = random.normal(size=(10, 12))
    said = (centres[digits] + random.normal(size=(600, 12))).astype(np.float32)
    weights = digit_sounds.fit(said, digits)
    mean, spread = said.mean(axis=0), said.std(axis=0)
    rows = np.column_stack(((said - mean) / spread, np.ones(600)))
    standard = np.vstack((weights[:-1] * spread[:, None], weights[-1] + mean @ weights[:-1]))
    odds = np.exp(rows @ standard)
    slope = rows.T @ (odds / odds.sum(axis=1, keepdims=True) - np.eye(10)[digits]) / 600 + 0.01 * standard
    assert np.abs(slope).max() < 1e-4


def test_a_word_lies_at_the_same_sound_at_another_pace() -> None:
    utterance = utterance_of(spoken(OTHER))
    other, (word,) = digit_sounds.at_pace(utterance, [WordFrames(100, 140)], 0.8)
    assert len(other.recording.samples) == round(len(utterance.recording.samples) / 0.8)
    assert 48 <= word.end_frame - word.start_frame <= 52
