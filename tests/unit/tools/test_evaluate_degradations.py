"""What a degradation does to a signal, measured; and that the service reads what it writes."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from shared.domain.recording import SAMPLE_RATE, Samples
from tests.unit.audio.decoding import decoded
from tools.evaluation import degradations
from tools.evaluation.degradations import Change, chain, mixed, room, speech_power


def tones(*frequencies: float, seconds: float = 2.0) -> Samples:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(sum(0.1 * np.sin(2 * np.pi * frequency * times) for frequency in frequencies), np.float32)


def level_at(body: bytes, frequency: float) -> float:
    """dB of the tone at this frequency against one of amplitude 0.1."""
    samples, rate = soundfile.read(io.BytesIO(body))
    wave = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / rate)
    return float(20 * np.log10(2 * abs((samples * wave).mean()) / 0.1 + 1e-9))


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("change", "levels"),
    [
        (degradations.telephone, {100: (-200, -40), 1000: (-0.5, 0.5), 3800: (-200, -6)}),
        (degradations.eight_kilohertz, {100: (-0.5, 0.5), 3500: (-0.5, 0.5)}),
        (degradations.handset, {100: (-24.5, -23.5), 200: (-3.5, -2.5), 1000: (-0.5, 0.5), 3500: (-0.5, 0.5)}),
        (chain(degradations.by_small_microphone), {80: (-200, -10), 1000: (-1, 1), 3000: (1, 10), 7900: (-200, -3)}),
        (degradations.quiet, {1000: (-17.5, -16.5)}),
    ],
)  # fmt: skip
def test_a_channel_keeps_its_band_and_loses_the_rest(change: Change, levels: dict[int, tuple[float, float]]) -> None:
    body = change(tones(*levels), np.random.default_rng(1))
    for hertz, (low, high) in levels.items():
        assert low < level_at(body, hertz) < high, hertz


def test_8_kilohertz_are_sent_as_8_kilohertz_at_the_end_of_a_chain_too() -> None:
    louder, softer = (lambda samples, _, factor=factor: samples * np.float32(factor) for factor in (4.0, 0.5))
    body = chain(louder, softer, last=degradations.eight_kilohertz)(tones(440), RANDOM)
    assert level_at(body, 440) == pytest.approx(6.0, abs=0.5)
    assert soundfile.info(io.BytesIO(body)).samplerate == 8_000


@pytest.mark.parametrize("snr_db", [20.0, 5.0])
def test_noise_is_added_at_the_ratio_to_the_loud_part(snr_db: float) -> None:
    speech = np.concatenate([tones(440), np.zeros(SAMPLE_RATE * 2, np.float32)])
    noise = np.random.default_rng(1).standard_normal(len(speech))
    added = np.square(mixed(speech, noise, snr_db) - speech)
    assert 10 * np.log10(speech_power(speech) / added.mean()) == pytest.approx(snr_db, abs=0.1)
    assert np.abs(mixed(speech * 9, noise, 0.0)).max() <= 1.0  # what would clip is brought down as a whole


def test_babble_is_made_of_other_voices_and_differs_by_the_draw() -> None:
    change = degradations.babble([tones(200 + 100 * number) for number in range(6)], 10.0)
    first, again, other = (change(tones(3000), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert max(level_at(first, 200 + 100 * number) for number in range(6)) > -30


def test_a_room_falls_by_sixty_decibels_in_its_time() -> None:
    response = room(0.5, np.random.default_rng(1))
    early, late = (np.square(response[start : start + 800]).mean() for start in (800, 6400))
    assert 10 * np.log10(early / late) == pytest.approx(60 * (6400 - 800) / (0.5 * SAMPLE_RATE), abs=2)
    assert np.square(response[1:]).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "encoding", "kilobits"),
    [
        (degradations.clean, "PCM_16", 256),
        (degradations.gsm, "GSM610", 13),
        (degradations.mu_law, "ULAW", 64),
        (degradations.a_law, "ALAW", 64),
        (degradations.mp3, "MPEG_LAYER_III", 24),
        *((degradations.opus_at(rate), "OPUS", rate) for rate in (6, 12, 24)),
        (degradations.opus, "OPUS", 12),
    ],
)
def test_the_service_reads_every_codec_at_its_rate(change: Change, encoding: str, kilobits: float) -> None:
    noise = np.asarray(0.1 * np.random.default_rng(1).standard_normal(5 * SAMPLE_RATE), np.float32)
    body = change(noise, RANDOM)
    heard = decoded(body)
    assert heard.format.encoding == encoding
    assert heard.seconds == pytest.approx(5.0, abs=0.1)
    assert len(body) * 8 / 5 / 1000 == pytest.approx(kilobits, abs=2.5)
