"""A constant in the samples, as cheap sound cards add one, taken off before anything listens."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Samples

_HOP: Final = 256
"""Samples, 16 ms, that are averaged to one value of the offset. The mean over a hop has its zeros at the multiples of
62.5 Hz, where folding would bring a voice's power down to an offset's frequencies."""

_SMOOTHED: Final = 9
"""Hops, 144 ms: an offset that changes more slowly is taken off, and what lies above 30 Hz stays as it is."""


def without_offset(samples: Samples) -> Samples:
    """The samples, shape [n], less their moving mean over about 0.15 s.

    A constant leaves no trace. Where it steps, a thump of 0.15 s remains, below the frequencies of speech.
    """
    count = len(samples) // _HOP
    if count < _SMOOTHED:
        return samples - samples.mean(dtype=np.float64).astype(np.float32) if len(samples) else samples
    means = samples[: count * _HOP].reshape(count, _HOP).mean(axis=1, dtype=np.float64)
    window = np.hanning(_SMOOTHED + 2)[1:-1]
    offsets = np.convolve(np.pad(means, _SMOOTHED // 2, mode="edge"), window / window.sum(), mode="valid")
    return samples - _between(offsets, len(samples))


def _between(offsets: npt.NDArray[np.float64], length: int) -> Samples:
    """The offset at each sample, shape [length], in straight lines from the middle of a hop to the next."""
    ends = np.pad(offsets, (1, 2), mode="edge").astype(np.float32)
    ramp = (np.arange(_HOP) / _HOP).astype(np.float32)
    lines: Samples = ends[:-1, None] + np.diff(ends)[:, None] * ramp
    return lines.ravel()[_HOP // 2 : _HOP // 2 + length]
