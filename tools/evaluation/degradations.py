"""What happens to speech on its way: telephone bands, codecs, noise, rooms. Each gives the bytes that a client sends.

Everything is drawn from a generator that is passed in, so that a run can be repeated.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from shared.domain.recording import SAMPLE_RATE, Samples
from tools.calibration.hearing import as_wav

Numbers = npt.NDArray[np.float64]

TELEPHONE_RATE: Final = 8_000
TELEPHONE_BAND: Final = (300.0, 3400.0)
"""Hz. ITU-T G.712: the band of an analogue telephone channel."""
BAND_ORDER: Final = 8
"""Steepness of the band's edges, as of a Butterworth filter of this order."""
HANDSET_HZ: Final = 200.0
HANDSET_ORDER: Final = 4
"""24 dB an octave below: between a microphone and a telephone line."""
DIRECT_TO_REVERBERANT_DB: Final = 0.0
"""The direct sound is as strong as the room's: about two metres from the microphone in an office."""
QUIET_DBFS: Final = -40.0
CROWD: Final = 5
"""Voices in a babble: enough that no word stands out."""
OPUS_LEVEL: Final = 0.98
OPUS_LEVELS: Final = {6: 1.0, 12: OPUS_LEVEL, 24: 0.93}
"""By kbit/s."""
MP3_LEVEL: Final = 0.9
"""libsndfile's compression levels, from 0 (best) to 1 (smallest)."""
SMALL_BASS_HZ: Final = (250.0, 500.0)
SMALL_TREBLE_HZ: Final = (5500.0, 7500.0)
SMALL_ORDER: Final = 2
SMALL_PEAK_HZ: Final = (2000.0, 4000.0)
SMALL_PEAK_DB: Final = (4.0, 10.0)
"""A microphone of a few millimetres behind a hole: it falls by 12 dB an octave outside its band and resonates in it."""

Change = Callable[[Samples, np.random.Generator], bytes]
Effect = Callable[[Samples, np.random.Generator], Samples]


@dataclass(frozen=True)
class Condition:
    """A way in which the tested recording differs from the enrolled ones."""

    name: str
    change: Change = field(repr=False)


def clean(samples: Samples, _: np.random.Generator) -> bytes:
    return as_wav(samples)


def quiet(samples: Samples, _: np.random.Generator) -> bytes:
    """Speech at ``QUIET_DBFS``, in 16 bits."""
    return as_wav(np.asarray(samples * (10.0 ** (QUIET_DBFS / 20.0) / np.sqrt(speech_power(samples))), np.float32))


def eight_kilohertz(samples: Samples, _: np.random.Generator) -> bytes:
    """What a microphone gives at this rate: nothing cut below 4 kHz."""
    return _written(_narrow(samples), TELEPHONE_RATE, "WAV", "PCM_16")


def handset(samples: Samples, _: np.random.Generator) -> bytes:
    """At this rate, with a bass that falls away: none of the filters that the service knows."""
    return _written(_band(_narrow(samples), HANDSET_HZ, TELEPHONE_RATE, HANDSET_ORDER), TELEPHONE_RATE, "WAV", "PCM_16")


def telephone(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(_telephone(samples), TELEPHONE_RATE, "WAV", "PCM_16")


def gsm(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(_telephone(samples), TELEPHONE_RATE, "WAV", "GSM610")


def a_law(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(_telephone(samples), TELEPHONE_RATE, "WAV", "ALAW")


def mu_law(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(_telephone(samples), TELEPHONE_RATE, "WAV", "ULAW")


def opus(samples: Samples, _: np.random.Generator, level: float = OPUS_LEVEL) -> bytes:
    return _written(samples, SAMPLE_RATE, "OGG", "OPUS", level)


def opus_at(kilobits: int) -> Change:
    return partial(opus, level=OPUS_LEVELS[kilobits])


def mp3(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(samples, SAMPLE_RATE, "MP3", "MPEG_LAYER_III", MP3_LEVEL)


def chain(*effects: Effect, last: Change = clean) -> Change:
    """One effect behind the other, then ``last``."""

    def change(samples: Samples, random: np.random.Generator) -> bytes:
        for effect in effects:
            samples = effect(samples, random)
        return last(samples, random)

    return change


def white_noise(snr_db: float) -> Change:
    return chain(with_white_noise(snr_db))


def babble(voices: list[Samples], snr_db: float) -> Change:
    return chain(with_babble(voices, snr_db))


def reverberation(seconds: float) -> Change:
    return chain(in_room(seconds))


def with_white_noise(snr_db: float) -> Effect:
    return lambda samples, random: mixed(samples, random.standard_normal(len(samples)), snr_db)


def with_babble(voices: list[Samples], snr_db: float) -> Effect:
    """``CROWD`` other people talking at once, each as loud as the others."""

    def effect(samples: Samples, random: np.random.Generator) -> Samples:
        chosen = random.choice(len(voices), CROWD, replace=False)
        crowd = sum((_excerpt(voices[index], len(samples), random) for index in chosen), np.zeros(len(samples)))
        return mixed(samples, crowd, snr_db)

    return effect


def in_room(seconds: float) -> Effect:
    """A room whose sound falls by 60 dB in these seconds."""
    return lambda samples, random: _scaled(convolved(samples, room(seconds, random)))


def by_small_microphone(samples: Samples, random: np.random.Generator) -> Samples:
    """Bass, treble and resonance are drawn anew for each recording."""
    bass, treble, peak, decibels = (
        random.uniform(*bounds) for bounds in (SMALL_BASS_HZ, SMALL_TREBLE_HZ, SMALL_PEAK_HZ, SMALL_PEAK_DB)
    )
    filtered = _band(samples, bass, treble, SMALL_ORDER, SAMPLE_RATE)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(samples), 1.0 / SAMPLE_RATE), 1.0) / peak)
    gain = 10.0 ** (decibels / 20.0 * np.exp(-np.square(octaves / 0.5)))
    return _scaled(np.fft.irfft(np.fft.rfft(filtered.astype(np.float64)) * gain, len(samples)))


def mixed(samples: Samples, noise: Numbers, snr_db: float) -> Samples:
    """Noise added at this ratio to the loud part of the speech, brought down as a whole where it would clip.

    The level of speech is that of the frames of 20 ms within 30 dB of the loudest: pauses do not make it softer.
    """
    wanted = speech_power(samples) / 10.0 ** (snr_db / 10.0)
    present = float(np.mean(np.square(noise)))
    return _scaled(samples + noise * np.sqrt(wanted / present) if present else samples)


def speech_power(samples: Samples) -> float:
    frame = SAMPLE_RATE // 50
    frames = np.square(samples[: len(samples) // frame * frame], dtype=np.float64).reshape(-1, frame).mean(axis=1)
    return float(frames[frames >= frames.max() / 1000.0].mean())


def room(seconds: float, random: np.random.Generator) -> Numbers:
    """Noise that decays by 60 dB in ``seconds`` behind the direct sound (Polack's model of a diffuse room, 1988)."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = random.standard_normal(len(times)) * 10.0 ** (-3.0 * times / seconds)
    tail[0] = 0.0
    tail *= np.sqrt(10.0 ** (-DIRECT_TO_REVERBERANT_DB / 10.0) / np.square(tail).sum())
    tail[0] = 1.0
    return np.asarray(tail)


def convolved(samples: Samples, response: Numbers) -> Numbers:
    """As long as the samples."""
    size = 1 << (len(samples) + len(response)).bit_length()
    product = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[: len(samples)])


def _narrow(samples: Samples) -> Samples:
    return np.asarray(soxr.resample(samples, SAMPLE_RATE, TELEPHONE_RATE, quality="HQ"), np.float32)


def _telephone(samples: Samples) -> Samples:
    low, high = TELEPHONE_BAND
    return _band(_narrow(samples), low, high, BAND_ORDER)


def _band(narrow: Samples, low: float, high: float, order: int, rate: int = TELEPHONE_RATE) -> Samples:
    """With edges as of Butterworth filters of this order."""
    frequencies = np.fft.rfftfreq(len(narrow), 1.0 / rate)
    with np.errstate(divide="ignore"):
        gain = 1.0 / np.sqrt(1.0 + (low / frequencies) ** (2 * order))
    gain /= np.sqrt(1.0 + (frequencies / high) ** (2 * order))
    return np.asarray(np.fft.irfft(np.fft.rfft(narrow.astype(np.float64)) * gain, len(narrow)), np.float32)


def _excerpt(voice: Samples, length: int, random: np.random.Generator) -> Numbers:
    """``length`` samples from anywhere in the voice, which starts again where it ends; of power one."""
    start = int(random.integers(len(voice)))
    taken = np.take(voice, range(start, start + length), mode="wrap").astype(np.float64)
    return np.asarray(taken / np.sqrt(speech_power(voice)))


def _scaled(samples: npt.NDArray[np.floating]) -> Samples:
    peak = float(np.abs(samples).max())
    return np.asarray(samples * min(1.0, 0.99 / peak) if peak else samples, np.float32)


def _written(samples: Samples, rate: int, container: str, encoding: str, level: float | None = None) -> bytes:
    file = io.BytesIO()
    settings = {} if level is None else {"compression_level": level}
    soundfile.write(file, samples, rate, format=container, subtype=encoding, **settings)
    return file.getvalue()
