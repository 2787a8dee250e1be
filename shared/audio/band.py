"""What of the spectrum a recording's speech fills, whatever rate the file says it has: a telephone cuts at 300 and at
3,400 Hz, 8,000 samples a second hold nothing above 4 kHz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy import fft

from shared.domain.recording import FULL_BAND_HZ, SAMPLE_RATE, Samples

_FRAME: Final = 512
"""Samples, 32 ms."""

_BIN_HZ: Final = SAMPLE_RATE / _FRAME

_NOTHING: Final = 1e-20
"""Power that stands for none in a ratio."""

_SMOOTHED: Final = 8
"""Bins, 250 Hz: a single line of mains hum or of a codec is no speech."""

BELOW_PEAK_DB: Final = 50.0
"""Speech ends where its spectrum has fallen so far below its strongest part. Measured on 85 recordings of the
development speech: behind an 8 kHz channel (linear, GSM, mu-law) it ends at 3,031 to 4,031 Hz, otherwise (also as MP3
or Opus at low rates) at 4,219 Hz and more, 95 % of them above 6,800 Hz. From 55 dB on, the noise of mu-law is taken for
speech."""

_BASS_HZ: Final = (60.0, 250.0)
"""From above the hum of the mains to where a telephone's edge begins: a voice's lowest harmonics."""

_MIDDLE_HZ: Final = (300.0, 1_000.0)
"""What every channel lets through, and where most of speech's power is."""

_BLOCK: Final = 4_096
"""Frames transformed at once, 16 MB: bounds memory for long recordings."""


@dataclass(frozen=True)
class Band:
    """``bandwidth_hz``: the highest frequency, at most 8,000 Hz, at which the speech has power; 0 without speech.

    ``bass_db``: its mean power from 60 to 250 Hz against that from 300 to 1,000 Hz; 0 without speech.
    """

    bandwidth_hz: float = 0.0
    bass_db: float = 0.0


def band(samples: Samples, speech: npt.NDArray[np.bool_]) -> Band:
    power = _power(samples[speech])
    if not power.any():
        return Band()
    smooth = np.convolve(power, np.full(_SMOOTHED, 1.0 / _SMOOTHED), mode="same")
    highest = int(np.flatnonzero(smooth >= smooth.max() * 10.0 ** (-BELOW_PEAK_DB / 10.0))[-1])
    bass, middle = (_mean(power, low, high) for low, high in (_BASS_HZ, _MIDDLE_HZ))
    return Band(min(highest * _BIN_HZ, FULL_BAND_HZ), float(10.0 * np.log10((bass + _NOTHING) / (middle + _NOTHING))))


def _power(spoken: Samples) -> npt.NDArray[np.float64]:
    """By frequency, of all frames together."""
    count = len(spoken) // _FRAME
    frames = spoken[: count * _FRAME].reshape(count, _FRAME)
    window = np.hanning(_FRAME).astype(np.float32)
    power = np.zeros(_FRAME // 2 + 1)
    for start in range(0, count, _BLOCK):
        spectra = fft.rfft(frames[start : start + _BLOCK] * window, axis=1)
        power += np.square(np.abs(spectra)).sum(axis=0, dtype=np.float64)
    return power


def _mean(power: npt.NDArray[np.float64], low: float, high: float) -> float:
    frequencies = np.arange(len(power)) * _BIN_HZ
    return float(power[(frequencies >= low) & (frequencies < high)].mean())
