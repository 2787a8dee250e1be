from __future__ import annotations

import numpy as np
import pytest

from shared.audio.quality import MAX_SNR_DB, MIN_SNR_DB, clipped_percent, level_dbfs, snr_db
from tests.unit.audio.encoded import Floats

RATE = 16_000


def voice(seconds: float, seed: int = 0) -> Floats:
    """Noise in the rhythm of syllables, four a second, 40 dB deep: the level of speech without its words."""
    count = round(seconds * RATE)
    rhythm = 10 ** (-2 * np.cos(np.pi * 4 * np.arange(count) / RATE) ** 8)
    return (rhythm * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def mix(
    snr: float, *, pause: float = 1.0, seconds: float = 4.0
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """A voice between two pauses, white noise under all of it; the power of the voice is ``snr`` dB above the noise."""
    spoken = voice(seconds)
    spoken *= np.float32(0.05 / np.sqrt(np.mean(spoken**2)))
    silent = np.zeros(round(pause * RATE), dtype=np.float32)
    clean = np.concatenate([silent, spoken, silent])
    noise = 0.05 * 10 ** (-snr / 20) * np.random.default_rng(7).standard_normal(len(clean))
    speech = np.concatenate([silent.astype(bool), np.ones(len(spoken), dtype=bool), silent.astype(bool)])
    return (clean + noise).astype(np.float32), speech


@pytest.mark.parametrize("truth", [0.0, 5.0, 10.0, 20.0, 30.0, 40.0])
def test_the_snr_of_a_known_mix_with_pauses_is_within_1_db(truth: float) -> None:
    assert snr_db(*mix(truth)) == pytest.approx(truth, abs=1.0)


@pytest.mark.parametrize("truth", [5.0, 10.0, 20.0])
def test_the_snr_of_a_known_mix_without_pauses_is_within_3_db(truth: float) -> None:
    assert snr_db(*mix(truth, pause=0.0)) == pytest.approx(truth, abs=3.0)


def test_digital_silence_around_a_noisy_recording_does_not_make_it_clean() -> None:
    noisy, speech = mix(5.0, pause=0.0)
    padding = np.zeros(RATE, dtype=np.float32)

    measured = snr_db(np.concatenate([padding, noisy, padding]), np.concatenate([padding > 0, speech, padding > 0]))

    assert measured == pytest.approx(5.0, abs=3.0)


def test_a_click_in_the_pause_does_not_make_a_clean_recording_noisy() -> None:
    samples, speech = mix(30.0)
    samples[1_000:1_100] = 0.9

    assert snr_db(samples, speech) == pytest.approx(30.0, abs=1.0)


def test_without_speech_the_snr_is_the_least() -> None:
    assert snr_db(voice(1.0), np.zeros(RATE, dtype=np.bool_)) == MIN_SNR_DB


def test_digital_silence_marked_as_speech_is_the_least() -> None:
    assert snr_db(np.zeros(RATE, dtype=np.float32), np.ones(RATE, dtype=np.bool_)) == MIN_SNR_DB


def test_speech_below_the_noise_is_the_least() -> None:
    samples = np.concatenate([0.5 * np.ones(RATE), 0.1 * np.ones(RATE)]).astype(np.float32)

    assert snr_db(samples, np.arange(2 * RATE) >= RATE) == MIN_SNR_DB


def test_the_cleanest_recording_is_capped() -> None:
    samples, speech = mix(70.0)

    assert snr_db(4 * samples, speech) == MAX_SNR_DB


def test_fewer_samples_than_a_frame_are_measured_as_nothing() -> None:
    assert snr_db(np.ones(10, dtype=np.float32), np.ones(10, dtype=np.bool_)) == MIN_SNR_DB


def test_clipping_counts_over_the_speech_alone() -> None:
    clipped = np.array([True, True, True, False, False, False, False, False])
    speech = np.array([False, False, True, True, True, True, False, False])

    assert clipped_percent(clipped, speech) == 25.0


def test_clipping_without_speech_is_none() -> None:
    assert clipped_percent(np.ones(8, dtype=np.bool_), np.zeros(8, dtype=np.bool_)) == 0.0


def test_the_level_is_that_of_the_speech_alone() -> None:
    samples = np.array([0.1, -0.1, 0.9, 0.9], dtype=np.float32)

    assert level_dbfs(samples, np.array([True, True, False, False])) == pytest.approx(-20.0, abs=0.01)


def test_the_level_without_speech_is_the_least() -> None:
    assert level_dbfs(np.ones(4, dtype=np.float32), np.zeros(4, dtype=np.bool_)) == -120.0
