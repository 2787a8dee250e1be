from __future__ import annotations

import numpy as np
import pytest
import soxr

from shared.audio.listener import RecordingListener
from shared.audio.quality import MAX_SNR_DB, MIN_SNR_DB, bandwidth_hz, clipped_percent, level_dbfs, snr_db
from shared.audio.runs import Mask
from shared.domain.errors import AudioTooNarrow, AudioTooQuiet
from shared.domain.limits import AudioRules, QualityLimits
from shared.domain.recording import Samples
from tests.unit.audio.encoded import Floats, file, tone
from tests.unit.audio.loudness import EVERYWHERE
from tests.voices import QUESTION, flite, wav_bytes

RATE = 16_000
RULES = AudioRules(0.5, 60.0, min_speech_seconds=0.5, min_snr_db=-20.0)
ALL = np.ones(2 * RATE, np.bool_)


LISTENER = RecordingListener(EVERYWHERE)


def mix(snr: float, *, pause: float = 1.0) -> tuple[Floats, Mask]:
    """Noise in the rhythm of syllables, four a second, 40 dB deep, between two pauses, white noise under all of it; the
    power of the voice is ``snr`` dB above the noise."""
    rhythm = 10 ** (-2 * np.cos(np.pi * 4 * np.arange(4 * RATE) / RATE) ** 8)
    spoken = rhythm * np.random.default_rng(0).standard_normal(4 * RATE)
    silent = np.zeros(round(pause * RATE))
    clean = np.concatenate([silent, spoken * 0.05 / np.sqrt(np.mean(spoken**2)), silent])
    noise = 0.05 * 10 ** (-snr / 20) * np.random.default_rng(7).standard_normal(len(clean))
    return (clean + noise).astype(np.float32), np.pad(np.ones(4 * RATE, np.bool_), len(silent))


def band(low: float, high: float) -> Floats:
    """Two seconds of noise between two frequencies."""
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(2 * RATE))
    frequencies = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0.0
    return np.fft.irfft(spectrum).astype(np.float32) * 0.1


def eight_kilohertz(samples: Samples, encoding: str) -> bytes:
    return file(soxr.resample(samples, RATE, 8_000, quality="HQ"), 8_000, encoding=encoding)


@pytest.mark.parametrize("truth", [0.0, 5.0, 10.0, 20.0, 30.0, 40.0])
def test_the_snr_of_a_known_mix_with_pauses_is_right(truth: float) -> None:
    assert snr_db(*mix(truth)) == pytest.approx(truth, abs=0.1)


@pytest.mark.parametrize("truth", [5.0, 10.0, 20.0])
@pytest.mark.parametrize("padding", [0, RATE])
def test_the_snr_of_a_known_mix_without_pauses_is_within_3_db_whatever_silence_is_around(
    truth: float, padding: int
) -> None:
    samples, speech = mix(truth, pause=0.0)

    assert snr_db(np.pad(samples, padding), np.pad(speech, padding)) == pytest.approx(truth, abs=3.0)


def test_a_click_in_the_pause_does_not_make_a_clean_recording_noisy() -> None:
    samples, speech = mix(30.0)
    samples[1_000:1_100] = 0.9

    assert snr_db(samples, speech) == pytest.approx(30.0, abs=1.0)


def test_a_beep_on_both_sides_is_not_under_the_speech() -> None:
    samples, speech = mix(30.0)
    samples[~speech] = np.resize(tone(1.0, frequency=1_000.0), int((~speech).sum()))

    assert snr_db(samples, speech) > 13.0


@pytest.mark.parametrize(
    ("samples", "speech"),
    [
        (band(200.0, 5_000.0), ~ALL),
        (np.zeros(2 * RATE, np.float32), ALL),
        (np.repeat(np.array([0.5, 0.1], np.float32), RATE), np.arange(2 * RATE) >= RATE),
        (np.ones(10, np.float32), np.ones(10, np.bool_)),
    ],
    ids=["no speech", "digital silence", "speech below the noise", "less than a frame"],
)
def test_without_speech_above_the_noise_the_snr_is_the_least(samples: Samples, speech: Mask) -> None:
    assert snr_db(samples, speech) == MIN_SNR_DB


def test_the_cleanest_recording_is_capped() -> None:
    samples, speech = mix(70.0)

    assert snr_db(4 * samples, speech) == MAX_SNR_DB


def test_clipping_counts_over_the_speech_alone() -> None:
    clipped = np.array([True, True, True, False, False, False, False, False])
    speech = np.array([False, False, True, True, True, True, False, False])

    assert clipped_percent(clipped, speech) == 25.0
    assert clipped_percent(clipped, speech & False) == 0.0


def test_the_level_is_that_of_the_speech_alone_and_of_everything_without_speech() -> None:
    samples = np.array([0.1, -0.1, 0.9, 0.9], dtype=np.float32)
    speech = np.array([True, True, False, False])

    assert level_dbfs(samples, speech) == pytest.approx(-20.0, abs=0.01)
    assert level_dbfs(samples, speech & False) == pytest.approx(-3.87, abs=0.01)
    assert level_dbfs(samples * np.float32(0.0), speech & False) == -120.0


@pytest.mark.parametrize("high", [1_000.0, 3_400.0, 6_000.0])
def test_a_band_ends_where_it_ends_whatever_the_level(high: float) -> None:
    samples = band(200.0, high)

    assert bandwidth_hz(samples, ALL) == pytest.approx(high, abs=200.0)
    assert bandwidth_hz(samples * np.float32(1e-3), ALL) == bandwidth_hz(samples, ALL)


def test_only_speech_has_a_band() -> None:
    samples = np.concatenate([band(200.0, 3_000.0), band(200.0, 7_500.0)])

    assert bandwidth_hz(samples, np.arange(len(samples)) < 2 * RATE) < 3_300.0
    assert bandwidth_hz(np.zeros(2 * RATE, np.float32), ALL) == bandwidth_hz(samples[:0], ALL[:0]) == 0.0


@pytest.mark.parametrize("encoding", ["PCM_16", "ULAW", "ALAW", "GSM610"])
def test_8000_samples_a_second_are_not_wide_in_a_file_of_any_rate(encoding: str) -> None:
    narrow = eight_kilohertz(flite(QUESTION), encoding)
    utterance = LISTENER.listen(narrow, None, RULES)

    assert not utterance.is_wide
    assert not LISTENER.listen(file(utterance.recording.samples), None, RULES).is_wide
    assert LISTENER.listen(wav_bytes(flite(QUESTION)), None, RULES).is_wide


def test_a_subscription_may_ask_for_a_wide_band() -> None:
    rules = RULES.moved(QualityLimits(min_bandwidth_hz=5_000.0))
    with pytest.raises(AudioTooNarrow, match=r"reach up to 5000Hz\. In the recording it ends at [34]\d{3}Hz"):
        LISTENER.listen(eight_kilohertz(flite(QUESTION), "PCM_16"), None, rules)


def test_speech_below_the_level_is_refused_with_both_levels() -> None:
    quiet = wav_bytes(band(200.0, 6_000.0) * np.float32(0.01))
    with pytest.raises(AudioTooQuiet, match=r"level of the speech is -50dBFS\. The recording has -6\d\.\ddBFS"):
        LISTENER.listen(quiet, None, RULES.moved(QualityLimits(min_level_dbfs=-50.0)))
    assert LISTENER.listen(quiet, None, RULES).level_dbfs < -50.0


def test_what_a_subscription_leaves_alone_is_the_generations() -> None:
    assert RULES.moved(QualityLimits()) == RULES
    assert RULES.moved(QualityLimits(min_snr_db=5.0)).max_clipped_percent == RULES.max_clipped_percent
