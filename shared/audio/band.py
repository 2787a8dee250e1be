"""How far up a recording's speech reaches, whatever rate the file says it has: a telephone cuts at 3,400 Hz, 8,000
samples a second hold nothing above 4 kHz."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numpy import fft

from shared.domain.recording import FULL_BAND_HZ, SAMPLE_RATE, Samples

_FRAME: Final = 512
"""Samples, 32 ms."""

_BIN_HZ: Final = SAMPLE_RATE / _FRAME

_SMOOTHED: Final = 8
"""Bins, 250 Hz: a single line of mains hum or of a codec is no speech."""

BELOW_PEAK_DB: Final = 50.0
"""Speech ends where its spectrum has fallen so far below its strongest part. Measured on 85 recordings of the
development speech: behind an 8 kHz channel (linear, GSM, mu-law) it ends at 3,031 to 4,031 Hz, otherwise (also as MP3
or Opus at low rates) at 4,219 Hz and more, 95 % of them above 6,800 Hz. From 55 dB on, the noise of mu-law is taken for
speech."""

_BLOCK: Final = 4_096
"""Frames transformed at once, 16 MB: bounds memory for long recordings."""


def bandwidth_hz(samples: Samples, speech: npt.NDArray[np.bool_]) -> float:
    """The highest frequency, at most 8,000 Hz, at which the speech has power; 0 without speech."""
    power = _power(samples[speech])
    if not power.any():
        return 0.0
    smooth = np.convolve(power, np.full(_SMOOTHED, 1.0 / _SMOOTHED), mode="same")
    highest = int(np.flatnonzero(smooth >= smooth.max() * 10.0 ** (-BELOW_PEAK_DB / 10.0))[-1])
    return min(highest * _BIN_HZ, FULL_BAND_HZ)


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
