"""Voice activity on synthesised speech, on noises, and on real speech where it is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from shared.audio.voice_activity import FRAME, VoiceActivity
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from tests.voices import PASSPORT, flite

SPEECH = Path(__file__).resolve().parents[4] / "shared" / "speech"


@pytest.fixture(scope="module")
def detector() -> VoiceActivity:
    path = CATALOGUE_FILE.parent / read_catalogue().voice_activity.file.name
    if not path.is_file():
        pytest.skip(f"{path.name} is not built: python dev.py model")
    return VoiceActivity(OnnxNetwork(path))


@pytest.fixture(scope="module")
def sentence() -> Samples:
    """A synthetic voice, about two seconds, without silence around it."""
    samples = flite(PASSPORT)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return np.asarray(samples[loud[0] : loud[-1]], np.float32)


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


def test_speech_is_found_where_it_is(detector: VoiceActivity, sentence: Samples) -> None:
    mask = detector.speech_mask(np.r_[silence(1.0), sentence, silence(1.5)])
    found = np.flatnonzero(mask) / SAMPLE_RATE
    assert found[0] == pytest.approx(1.0, abs=0.2)
    assert found[-1] == pytest.approx(1.0 + len(sentence) / SAMPLE_RATE, abs=0.25)
    assert seconds(mask) == pytest.approx(len(sentence) / SAMPLE_RATE, rel=0.25)


def test_the_mask_has_a_mark_for_each_sample(detector: VoiceActivity, sentence: Samples) -> None:
    odd = sentence[: 20 * FRAME + 17]
    mask = detector.speech_mask(odd)
    assert mask.shape == odd.shape
    assert mask.dtype == np.bool_


@pytest.mark.parametrize("level_dbfs", [-70.0, -50.0, -30.0])
@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum", "tone", "clicks"])
def test_noise_is_no_speech_at_any_level(detector: VoiceActivity, kind: str, level_dbfs: float) -> None:
    assert not detector.speech_mask(noise(kind, level_dbfs)).any()


def test_digital_silence_is_no_speech(detector: VoiceActivity) -> None:
    assert not detector.speech_mask(silence(3.0)).any()


def test_nothing_gives_an_empty_mask(detector: VoiceActivity) -> None:
    assert detector.speech_mask(silence(0.0)).shape == (0,)


def test_less_than_a_frame_is_no_speech(detector: VoiceActivity) -> None:
    assert not detector.speech_mask(np.ones(1, np.float32)).any()


@pytest.mark.parametrize("level_dbfs", [-60.0, -70.0])
def test_soft_speech_is_found_like_loud_speech(detector: VoiceActivity, sentence: Samples, level_dbfs: float) -> None:
    surrounded = np.r_[silence(0.5), sentence, silence(0.5)]
    soft = surrounded * np.float32(10 ** (level_dbfs / 20) / np.sqrt(np.mean(sentence**2)))
    loud_seconds = seconds(detector.speech_mask(surrounded))
    assert seconds(detector.speech_mask(soft)) == pytest.approx(loud_seconds, rel=0.1)


def test_a_pause_between_sentences_is_left_out(detector: VoiceActivity, sentence: Samples) -> None:
    mask = detector.speech_mask(np.r_[sentence, silence(2.0), sentence])
    middle = len(sentence) + SAMPLE_RATE
    assert not mask[middle - SAMPLE_RATE // 2 : middle + SAMPLE_RATE // 2].any()


def test_blocks_give_what_one_run_gives(detector: VoiceActivity, sentence: Samples) -> None:
    """Twenty seconds take two runs; the state and the context go from one to the next."""
    long = np.tile(np.r_[sentence, silence(0.4)], 20)[: 20 * SAMPLE_RATE]
    late = detector.probabilities(long)[520:]
    # The same frames, reached in one run from a later start: the network forgets within a few seconds.
    shifted = detector.probabilities(long[256 * FRAME :])[520 - 256 :]
    assert np.mean(np.abs(late - shifted)) < 0.01


def test_probabilities_stand_for_32_milliseconds_each(detector: VoiceActivity) -> None:
    probabilities = detector.probabilities(silence(1.0))
    assert probabilities.shape == (32,)  # 31.25, the last one filled up
    assert probabilities.dtype == np.float32


@pytest.mark.speech
def test_real_sentences_are_mostly_speech(detector: VoiceActivity) -> None:
    paths = sorted(SPEECH.glob("librispeech-test-other/**/*.flac"))[::10]
    if not paths:
        pytest.skip("the development speech ../shared/speech is not here")
    shares = []
    for path in paths:
        samples, _ = soundfile.read(path, dtype="float32")
        shares.append(float(detector.speech_mask(samples).mean()))
    assert min(shares) > 0.6
    assert max(shares) < 1.0
