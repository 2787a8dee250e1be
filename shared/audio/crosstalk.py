"""How much of one channel's speech is its own, and not another channel's heard through it.

In a call recorded in stereo each party's channel has the other's voice in it, weakly and late; two microphones in one
room have one voice. In both cases one channel's spectrum follows the other's at one ratio in each band of
frequencies. Where it rises above that ratio, somebody else speaks.

What it buys, on 240 pairs made of 50 speakers, in seconds of own speech of 6: one voice by two microphones at most 0.13
(two rooms, 10 dB SNR, a telephone band, 30 ms of delay), one voice leaking at -15 to -40 dB 0, two voices at least 0.93
(in turns, at once, leaking into each other at -25 to -15 dB, one 15 dB softer).
"""

from __future__ import annotations

from functools import cache
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from shared.audio.runs import Mask, runs
from shared.domain.recording import SAMPLE_RATE, Samples

Numbers = npt.NDArray[np.float32]
Scalar = TypeVar("Scalar", np.float32, np.bool_)

_FRAME: Final = 512  # samples: 32 ms, as voice activity has them
_BANDS: Final = 10
_BAND_HZ: Final = (100.0, 7_600.0)
_STEP: Final = 80  # samples, 5 ms: how finely the delay between two channels is found
_LONGEST_DELAY: Final = 0.3
"""Seconds. Between microphones in a room it is a few milliseconds, between the parties of a call up to that."""
_ABOVE_OTHER: Final = 8.0
"""Power, 9 dB above what the other channel explains. Rooms and lines colour a voice by less from frame to frame."""
_ABOVE_NOISE: Final = 4.0  # power, 6 dB: a band no louder than in the channel's pauses says nothing about who speaks
_SHORTEST: Final = 4  # frames, 128 ms, at a stretch: the shortest spoken word, as for voice activity


def own_seconds(samples: Samples, speech: Mask, other: Samples, other_speech: Mask) -> float:
    """Seconds of a channel's speech that the other channel does not explain; all have shape [n]."""
    spoken = _frames(speech)
    delay = _delay(samples, other)
    other_spoken = _frames(_shifted(other_speech, delay))
    if other_spoken.any():
        explained = _widest(_band_power(_shifted(other, delay)))
        spoken &= _unexplained(_band_power(samples), explained, spoken, other_spoken)
    lengths = np.diff(runs(spoken))
    return float(lengths[lengths >= _SHORTEST].sum()) * _FRAME / SAMPLE_RATE


def _unexplained(power: Numbers, other: Numbers, spoken: Mask, other_spoken: Mask) -> Mask:
    """Which frames have most of their power in bands that rise above the other channel's, shape [frames]."""
    coupling = np.median(power[other_spoken] / other[other_spoken], axis=0)
    pauses = power[~spoken]
    noise = np.median(pauses, axis=0) if len(pauses) else np.zeros(_BANDS, np.float32)
    heard = np.where(power > _ABOVE_NOISE * noise, power, 0.0)
    own = np.where(power > _ABOVE_OTHER * coupling * other, heard, 0.0)
    return np.asarray(2.0 * own.sum(axis=1) > heard.sum(axis=1))


def _frames(speech: Mask) -> Mask:
    """Which frames are mostly speech, shape [n // 512]."""
    count = len(speech) // _FRAME
    return np.asarray(speech[: count * _FRAME].reshape(count, _FRAME).mean(axis=1) > 0.5)


def _band_power(samples: Samples) -> Numbers:
    """Shape [n // 512, bands], above 0."""
    count = len(samples) // _FRAME
    frames = samples[: count * _FRAME].reshape(count, _FRAME)
    spectra = np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)
    power = np.square(spectra.real) + np.square(spectra.imag)
    return np.asarray(power @ _bands() + np.float32(1e-12), np.float32)


@cache
def _bands() -> Numbers:
    """Which bins belong to which band, evenly spaced on the mel scale, shape [257, bands]."""
    low, high = (np.log1p(hertz / 700.0) for hertz in _BAND_HZ)
    edges = 700.0 * np.expm1(np.linspace(low, high, _BANDS + 1))
    hertz = np.arange(_FRAME // 2 + 1)[:, None] * (SAMPLE_RATE / _FRAME)
    return ((hertz >= edges[:-1]) & (hertz < edges[1:])).astype(np.float32)


def _widest(power: Numbers) -> Numbers:
    """The most within a frame on either side, for what the delay leaves."""
    padded = np.pad(power, ((1, 1), (0, 0)), mode="edge")
    return np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])


def _delay(channel: Samples, other: Samples) -> int:
    """Samples by which the channel follows the other, from the course of their loudness."""
    late, early = _loudness(channel), _loudness(other)
    size = 1 << (2 * len(late)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(late, size) * np.conj(np.fft.rfft(early, size)), size)
    most = min(round(_LONGEST_DELAY * SAMPLE_RATE / _STEP), len(late))
    return (int(np.argmax(np.roll(likeness, most)[: 2 * most + 1])) - most) * _STEP


def _loudness(samples: Samples) -> npt.NDArray[np.float64]:
    """The logarithm of the power in each 5 ms, its mean taken off, no lower than 90 dB below the loudest."""
    count = len(samples) // _STEP
    frames = samples[: count * _STEP].reshape(count, _STEP)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64)
    loudness = np.log10(power + 1e-9 * power.max(initial=1e-12))
    return np.asarray(loudness - loudness.mean())


def _shifted(values: npt.NDArray[Scalar], by: int) -> npt.NDArray[Scalar]:
    """The same, later by so many samples or, below 0, earlier; nothing comes in."""
    padded = np.pad(values, (max(by, 0), max(-by, 0)))
    return padded[max(-by, 0) :][: len(values)]
