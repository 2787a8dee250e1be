"""What happens to speech on its way: telephone bands, codecs, noise, rooms. Each gives the bytes that a client sends.

Everything is drawn from a generator that is passed in, so that a run can be repeated.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
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
CROWD: Final = 5
"""Voices in a babble: enough that no word stands out."""
OPUS_LEVEL: Final = 0.98
MP3_LEVEL: Final = 0.9
"""libsndfile's compression levels, from 0 (best) to 1 (smallest)."""

Change = Callable[[Samples, np.random.Generator], bytes]


@dataclass(frozen=True)
class Condition:
    """A way in which the tested recording differs from the enrolled ones."""

    name: str
    change: Change = field(repr=False)


def clean(samples: Samples, _: np.random.Generator) -> bytes:
    return as_wav(samples)


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


def mu_law(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(_telephone(samples), TELEPHONE_RATE, "WAV", "ULAW")


def opus(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(samples, SAMPLE_RATE, "OGG", "OPUS", OPUS_LEVEL)


def mp3(samples: Samples, _: np.random.Generator) -> bytes:
    return _written(samples, SAMPLE_RATE, "MP3", "MPEG_LAYER_III", MP3_LEVEL)


def white_noise(snr_db: float) -> Change:
    def change(samples: Samples, random: np.random.Generator) -> bytes:
        return as_wav(mixed(samples, random.standard_normal(len(samples)), snr_db))

    return change


def babble(voices: list[Samples], snr_db: float) -> Change:
    """``CROWD`` other people talking at once, each as loud as the others."""

    def change(samples: Samples, random: np.random.Generator) -> bytes:
        chosen = random.choice(len(voices), CROWD, replace=False)
        crowd = sum((_excerpt(voices[index], len(samples), random) for index in chosen), np.zeros(len(samples)))
        return as_wav(mixed(samples, crowd, snr_db))

    return change


def reverberation(seconds: float) -> Change:
    """A room whose sound falls by 60 dB in these seconds."""

    def change(samples: Samples, random: np.random.Generator) -> bytes:
        return as_wav(_scaled(convolved(samples, room(seconds, random))))

    return change


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


def _band(narrow: Samples, low: float, high: float, order: int) -> Samples:
    """At ``TELEPHONE_RATE``, with edges as of Butterworth filters of this order."""
    frequencies = np.fft.rfftfreq(len(narrow), 1.0 / TELEPHONE_RATE)
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
