"""How far up speech reaches."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
import soxr

from shared.audio.listener import RecordingListener
from shared.audio.quality import bandwidth_hz
from shared.domain.errors import AudioTooNarrow, AudioTooQuiet
from shared.domain.limits import AudioRules, QualityLimits
from shared.domain.recording import Samples
from tests.unit.audio.encoded import Floats
from tests.voices import QUESTION, flite, wav_bytes

RATE = 16_000
RULES = AudioRules(0.5, 60.0, min_speech_seconds=0.5, min_snr_db=-20.0)


class Everywhere:
    def speech_mask(self, samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.ones(len(samples), np.bool_)


def noise(low: float, high: float, seconds: float = 2.0) -> Floats:
    """Noise between two frequencies."""
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(round(seconds * RATE)))
    frequencies = np.fft.rfftfreq(round(seconds * RATE), 1 / RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0.0
    return np.fft.irfft(spectrum).astype(np.float32) * 0.1


def eight_kilohertz(samples: Samples, encoding: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(samples, RATE, 8_000, quality="HQ"), 8_000, format="WAV", subtype=encoding)
    return file.getvalue()


def is_wide(body: bytes) -> bool:
    return RecordingListener(Everywhere()).listen(body, None, RULES).is_wide


@pytest.mark.parametrize("high", [1_000.0, 3_400.0, 6_000.0])
def test_a_band_ends_where_it_ends(high: float) -> None:
    samples = noise(200.0, high)
    assert bandwidth_hz(samples, np.ones(len(samples), np.bool_)) == pytest.approx(high, abs=200.0)


def test_the_level_makes_no_difference() -> None:
    samples, everywhere = noise(200.0, 5_000.0), np.ones(2 * RATE, np.bool_)
    assert bandwidth_hz(samples * np.float32(1e-3), everywhere) == bandwidth_hz(samples, everywhere)


def test_only_speech_counts() -> None:
    samples = np.concatenate([noise(200.0, 3_000.0), noise(200.0, 7_500.0)])
    first = np.arange(len(samples)) < 2 * RATE
    assert bandwidth_hz(samples, first) < 3_300.0


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(RATE, np.float32)])
def test_silence_has_no_band(samples: Samples) -> None:
    assert bandwidth_hz(samples, np.ones(len(samples), np.bool_)) == 0.0


@pytest.mark.parametrize("encoding", ["PCM_16", "ULAW", "ALAW", "GSM610"])
def test_8000_samples_a_second_are_not_wide(encoding: str) -> None:
    assert not is_wide(eight_kilohertz(flite(QUESTION), encoding))


@pytest.mark.parametrize("wide", [True, False])
def test_what_a_recording_came_by_is_known_in_a_file_of_any_rate(wide: bool) -> None:
    samples = flite(QUESTION)
    if not wide:
        samples = soxr.resample(soxr.resample(samples, RATE, 8_000, quality="HQ"), 8_000, RATE, quality="HQ")
    assert is_wide(wav_bytes(samples.astype(np.float32))) is wide


def test_a_subscription_may_ask_for_a_wide_band() -> None:
    rules = RULES.moved(QualityLimits(min_bandwidth_hz=5_000.0))
    with pytest.raises(AudioTooNarrow, match=r"reach up to 5000Hz\. In the recording it ends at [34]\d{3}Hz"):
        RecordingListener(Everywhere()).listen(eight_kilohertz(flite(QUESTION), "PCM_16"), None, rules)


def test_speech_below_the_level_is_refused_with_both_levels() -> None:
    quiet = wav_bytes(noise(200.0, 6_000.0) * np.float32(0.01))
    rules = RULES.moved(QualityLimits(min_level_dbfs=-50.0))
    with pytest.raises(AudioTooQuiet, match=r"level of the speech is -50dBFS\. The recording has -6\d\.\ddBFS"):
        RecordingListener(Everywhere()).listen(quiet, None, rules)
    assert RecordingListener(Everywhere()).listen(quiet, None, RULES).level_dbfs < -50.0


def test_what_a_subscription_leaves_alone_is_the_generations() -> None:
    assert RULES.moved(QualityLimits()) == RULES
    assert RULES.moved(QualityLimits(min_snr_db=5.0)).max_clipped_percent == RULES.max_clipped_percent
