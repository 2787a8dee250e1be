"""Voice activity on synthetic and real speech, on noises, and against Silero's network (``golden/activity.npz``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from shared.audio.voice_activity import FRAME, VoiceActivity, mask_of
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from tests.unit.inference.golden.activity_signals import AROUND_BLOCKS, LENGTHS, Signal, signals
from tests.voices import PASSPORT, flite

SILERO: Mapping[str, npt.NDArray[np.float32]] = np.load(
    Path(__file__).resolve().parents[1] / "inference" / "golden" / "activity.npz"
)
TOLERANCE = 5e-5
"""Of a probability. Sums of up to 387 products in another order, and a state that remembers the rounding: 5e-6 is the
most that was seen in an hour of real speech. Ten times that leaves room for processors with other instructions; the
least mistake in a kernel or a column shows at 1e-2 and above."""
NAMES = (
    "sentences, 60 s", "sentences in noise, 20 s", "formants, 6 s", "white noise, 5 s", "clicks, 5 s", "silence, 5 s",
    *(f"{length} samples" for length in (*LENGTHS, *AROUND_BLOCKS)),
)  # fmt: skip


@pytest.fixture(scope="module")
def detector() -> VoiceActivity:
    return VoiceActivity(OnnxNetwork(read_catalogue().voice_activity))


@pytest.fixture(scope="module")
def recordings() -> Mapping[str, Signal]:
    return signals()


@pytest.fixture(scope="module")
def sentence() -> Samples:
    """A synthetic voice, about two seconds, without silence around it."""
    samples = flite(PASSPORT)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return samples[loud[0] : loud[-1]]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def noise(kind: str, level_dbfs: float) -> Samples:
    """Five seconds at that RMS level."""
    random = np.random.default_rng(1)
    white = random.standard_normal(5 * SAMPLE_RATE)
    hertz = np.maximum(np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE), 20.0)
    time = np.arange(len(white)) / SAMPLE_RATE
    signal = {
        "white": white,
        "pink": np.fft.irfft(np.fft.rfft(white) / np.sqrt(hertz)),
        "brown": np.fft.irfft(np.fft.rfft(white) / hertz),
        "hum": np.sum([np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 12)], axis=0),
        "tone": np.sin(2 * np.pi * 440 * time),
        "clicks": (random.random(len(white)) < 2e-4).astype(float),
    }[kind]
    return np.asarray(signal * (10 ** (level_dbfs / 20) / np.sqrt(np.mean(signal**2))), np.float32)


def seconds(mask: npt.NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask)) / SAMPLE_RATE


def test_speech_is_found_where_it_is_and_a_pause_left_out(detector: VoiceActivity, sentence: Samples) -> None:
    mask = detector.speech_mask(np.r_[silence(1.0), sentence, silence(1.5), sentence])
    length, found = len(sentence) / SAMPLE_RATE, np.flatnonzero(mask) / SAMPLE_RATE
    assert found[0] == pytest.approx(1.0, abs=0.2)
    assert found[-1] == pytest.approx(2.5 + 2 * length, abs=0.25)
    assert seconds(mask) == pytest.approx(2 * length, rel=0.25)
    assert not mask[round((1.3 + length) * SAMPLE_RATE) : round((2.2 + length) * SAMPLE_RATE)].any()


@pytest.mark.parametrize("length", [20 * FRAME + 17, 1, 0])
def test_the_mask_has_a_mark_for_each_sample(detector: VoiceActivity, sentence: Samples, length: int) -> None:
    mask = detector.speech_mask(sentence[:length])
    assert mask.shape == (length,)
    assert mask.dtype == np.bool_
    assert mask.any() == (length > FRAME)


@pytest.mark.parametrize("level_dbfs", [-70.0, -50.0, -30.0])
@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum", "tone", "clicks"])
def test_noise_is_no_speech_at_any_level(detector: VoiceActivity, kind: str, level_dbfs: float) -> None:
    assert not detector.speech_mask(noise(kind, level_dbfs)).any()


@pytest.mark.parametrize("level_dbfs", [-60.0, -70.0])
def test_soft_speech_is_found_like_loud_speech(detector: VoiceActivity, sentence: Samples, level_dbfs: float) -> None:
    surrounded = np.r_[silence(0.5), sentence, silence(0.5)]
    soft = surrounded * np.float32(10 ** (level_dbfs / 20) / np.sqrt(np.mean(sentence**2)))
    loud_seconds = seconds(detector.speech_mask(surrounded))
    assert seconds(detector.speech_mask(soft)) == pytest.approx(loud_seconds, rel=0.1)


@pytest.mark.parametrize(
    ("probabilities", "speech"),
    [
        ("0123456789", "...#######"),  # speech begins at a half
        ("9990000000", ".........."),  # three frames are too short
        ("9999400000000", "#######......"),  # soft syllables do not end it, and two frames are padding
        ("99990000099990000000", "###############....."),  # five frames are no pause
        ("999900000099990000000000", "######..########........"),  # six are
    ],
)
def test_frames_become_speech_by_two_thresholds_and_three_durations(probabilities: str, speech: str) -> None:
    frames = np.array([int(digit) / 10 + 0.005 for digit in probabilities], np.float32)
    marks = mask_of(frames, len(frames) * FRAME)[::FRAME]
    assert "".join("#" if mark else "." for mark in marks) == speech


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_and_speech_are_sileros(
    name: str, detector: VoiceActivity, recordings: Mapping[str, Signal]
) -> None:
    """Sixty seconds take four runs; the state and the context go from one to the next."""
    samples = recordings[name]
    probabilities = detector.probabilities(samples)
    assert probabilities.shape == SILERO[name].shape
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, SILERO[name], rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(mask_of(probabilities, len(samples)), mask_of(SILERO[name], len(samples)))
