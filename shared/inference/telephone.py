"""Speech as it would have come over the telephone, at the service's own rate."""

from __future__ import annotations

from typing import Final

import numpy as np

from shared.domain.recording import SAMPLE_RATE, Samples

BAND_HZ: Final = (300.0, 3_400.0)
"""ITU-T G.712: the band of an analogue telephone channel."""

_ORDER: Final = 8
"""Steepness of the band's edges, as of a Butterworth filter of this order: 48 dB an octave."""

_PIECE: Final = 1 << 16
"""A recording's length is rounded up to a multiple of this for the transform, whose time hangs on the factors."""


def over_telephone(samples: Samples) -> Samples:
    """The same speech, shape [n], within ``BAND_HZ``; phases stay as they are. An empty recording stays empty."""
    if not len(samples):
        return samples
    size = -(-len(samples) // _PIECE) * _PIECE
    frequencies = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    low, high = BAND_HZ
    with np.errstate(divide="ignore"):
        gain = 1.0 / np.sqrt(1.0 + (low / frequencies) ** (2 * _ORDER))
    gain /= np.sqrt(1.0 + (frequencies / high) ** (2 * _ORDER))
    return np.asarray(np.fft.irfft(np.fft.rfft(samples, size) * gain, size)[: len(samples)], np.float32)
