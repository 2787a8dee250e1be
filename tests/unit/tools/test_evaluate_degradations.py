"""What a degradation does to a signal, measured; and that the service reads what it writes."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from shared.domain.recording import SAMPLE_RATE, Samples
from tests.unit.audio.decoding import decoded
from tools.evaluation import degradations
from tools.evaluation.degradations import Change, mixed, room, speech_power


def tones(*frequencies: float, seconds: float = 2.0) -> Samples:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(sum(0.1 * np.sin(2 * np.pi * frequency * times) for frequency in frequencies), np.float32)


def level_at(body: bytes, frequency: float) -> float:
    """dB of the tone at this frequency against one of amplitude 0.1."""
    samples, rate = soundfile.read(io.BytesIO(body))
    wave = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / rate)
    return float(20 * np.log10(2 * abs((samples * wave).mean()) / 0.1 + 1e-9))


RANDOM = np.random.default_rng(0)


def test_the_telephone_band_keeps_its_middle_and_loses_its_ends() -> None:
    body = degradations.telephone(tones(100, 1000, 3800), RANDOM)
    assert level_at(body, 1000) == pytest.approx(0.0, abs=0.5)
    assert level_at(body, 100) < -40
    assert level_at(body, 3800) < -6


def test_8_kilohertz_keep_everything_below_4() -> None:
    body = degradations.eight_kilohertz(tones(100, 3500, 5000), RANDOM)
    assert [level_at(body, hertz) for hertz in (100, 3500)] == pytest.approx([0.0, 0.0], abs=0.5)
    assert soundfile.info(io.BytesIO(body)).samplerate == 8_000


def test_a_handset_takes_bass_and_nothing_else() -> None:
    body = degradations.handset(tones(100, 200, 1000, 3500), RANDOM)
    assert [level_at(body, hertz) for hertz in (100, 200, 1000, 3500)] == pytest.approx([-24, -3, 0, 0], abs=0.5)


@pytest.mark.parametrize("snr_db", [20.0, 5.0])
def test_noise_is_added_at_the_ratio_to_the_loud_part(snr_db: float) -> None:
    speech = np.concatenate([tones(440), np.zeros(SAMPLE_RATE * 2, np.float32)])
    noise = np.random.default_rng(1).standard_normal(len(speech))
    added = np.square(mixed(speech, noise, snr_db) - speech)
    assert 10 * np.log10(speech_power(speech) / added.mean()) == pytest.approx(snr_db, abs=0.1)


def test_what_would_clip_is_brought_down_as_a_whole() -> None:
    loud = tones(440) * 9
    assert np.abs(mixed(loud, np.random.default_rng(1).standard_normal(len(loud)), 0.0)).max() <= 1.0


def test_babble_is_made_of_other_voices_and_differs_by_the_draw() -> None:
    voices = [tones(200 + 100 * number) for number in range(6)]
    change = degradations.babble(voices, 10.0)
    one, other = (change(tones(3000), np.random.default_rng(seed)) for seed in (1, 2))
    assert one != other
    assert one == change(tones(3000), np.random.default_rng(1))
    assert max(level_at(one, 200 + 100 * number) for number in range(6)) > -30


def test_a_room_falls_by_sixty_decibels_in_its_time() -> None:
    response = room(0.5, np.random.default_rng(1))
    early, late = (np.square(response[start : start + 800]).mean() for start in (800, 6400))
    assert 10 * np.log10(early / late) == pytest.approx(60 * (6400 - 800) / (0.5 * SAMPLE_RATE), abs=2)
    assert np.square(response[1:]).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        (degradations.clean, "PCM_16"),
        (degradations.gsm, "GSM610"),
        (degradations.mu_law, "ULAW"),
        (degradations.a_law, "ALAW"),
        (degradations.opus, "OPUS"),
        (degradations.mp3, "MPEG_LAYER_III"),
    ],
)
def test_the_service_reads_every_codec(change: Change, encoding: str) -> None:
    heard = decoded(change(tones(440, 1000), RANDOM))
    assert heard.format.encoding == encoding
    assert heard.seconds == pytest.approx(2.0, abs=0.1)


def test_codecs_are_as_narrow_as_they_say() -> None:
    noise = np.asarray(0.1 * np.random.default_rng(1).standard_normal(5 * SAMPLE_RATE), np.float32)

    def kilobits(change: Change) -> float:
        return len(change(noise, RANDOM)) * 8 / 5 / 1000

    assert kilobits(degradations.mp3) < 40
    assert [kilobits(degradations.opus_at(rate)) for rate in (6, 12, 24)] == pytest.approx([6, 12, 24], abs=2.5)


def test_turned_down_is_the_same_at_another_level() -> None:
    assert level_at(degradations.quiet(tones(1000), RANDOM), 1000) == pytest.approx(
        -40 - 20 * np.log10(0.1) + 3, abs=0.5
    )


def test_a_small_microphone_has_neither_bass_nor_treble_and_a_peak() -> None:
    body = degradations.chain(degradations.by_small_microphone)(tones(80, 1000, 3000, 7900), np.random.default_rng(1))
    bass, middle, peak, treble = (level_at(body, hertz) for hertz in (80, 1000, 3000, 7900))
    assert bass < middle - 10
    assert peak > middle + 1
    assert treble < peak - 4


def test_a_chain_is_its_effects_one_behind_the_other() -> None:
    louder, softer = (lambda samples, _, factor=factor: samples * np.float32(factor) for factor in (4.0, 0.5))
    body = degradations.chain(louder, softer, last=degradations.eight_kilohertz)(tones(440), RANDOM)
    assert level_at(body, 440) == pytest.approx(6.0, abs=0.5)
    assert soundfile.info(io.BytesIO(body)).samplerate == 8_000
