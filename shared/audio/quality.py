"""What is measured on a recording once its speech is found."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.ma
import numpy.typing as npt

from shared.domain.recording import SAMPLE_RATE, Samples

MAX_SNR_DB: Final = 60.0
"""Reported for anything cleaner: 16-bit recordings of a quiet room do not get above it."""

MIN_SNR_DB: Final = -20.0
"""Reported when the speech does not rise above the rest at all."""

QUIETEST_DBFS: Final = -120.0

_FRAME: Final = SAMPLE_RATE // 50
"""Samples: 20 ms, short enough to fall between syllables."""

_DIGITAL_SILENCE: Final = 1e-9
"""Power, -90 dBFS, half a bit of 16: padding and gated pauses, which say nothing about the noise under the speech."""

_ENOUGH_NOISE: Final = 10
"""Frames, 0.2 s: the median power of so much white noise is within 0.3 dB of the truth."""

_QUIET_SHARE: Final = 10.0
"""Percentile of the speech's own frames that stands for the noise when nothing else is there."""


def snr_db(samples: Samples, speech: npt.NDArray[np.bool_]) -> float:
    """Power of the speech without its noise against the power of the noise, in decibels, within [-20, 60].

    The noise is the median power of the 20 ms frames without speech; digital silence is left out, because padding
    would pass a noisy recording as clean. Where less than 0.2 s of noise remains, the quietest tenth of the speech's
    own frames stands for it: speech has pauses between its sounds, but not always long ones, so that this estimate is
    low for clean recordings.
    """
    count = len(samples) // _FRAME
    if not count or not speech.any():
        return MIN_SNR_DB
    frames = samples[: count * _FRAME].reshape(count, _FRAME)
    powers = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / _FRAME
    share = speech[: count * _FRAME].reshape(count, _FRAME).mean(axis=1)
    spoken = powers[(share > 0.5) & (powers > _DIGITAL_SILENCE)]
    rest = powers[(share == 0.0) & (powers > _DIGITAL_SILENCE)]
    if not len(spoken):
        return MIN_SNR_DB
    noise = float(np.median(rest)) if len(rest) >= _ENOUGH_NOISE else float(np.percentile(spoken, _QUIET_SHARE))
    ratio = max(float(spoken.mean()) - noise, 0.0) / noise
    return float(np.clip(_decibels(ratio), MIN_SNR_DB, MAX_SNR_DB))


def clipped_percent(clipped: npt.NDArray[np.bool_], speech: npt.NDArray[np.bool_]) -> float:
    """Share of the speech that lies in runs at full scale, in percent; 0 without speech. Both have shape [n]."""
    spoken = int(np.count_nonzero(speech))
    return 100.0 * int(np.count_nonzero(clipped & speech)) / spoken if spoken else 0.0


def level_dbfs(samples: Samples, speech: npt.NDArray[np.bool_]) -> float:
    """Mean power of the speech against a full-scale square wave, in decibels, at least -120."""
    spoken = samples[speech]
    if not len(spoken):
        return QUIETEST_DBFS
    return max(_decibels(float(np.dot(spoken, spoken)) / len(spoken)), QUIETEST_DBFS)


def _decibels(ratio: float) -> float:
    return 10.0 * float(np.log10(max(ratio, 1e-12)))
