"""Speech as it would have come by a narrower channel, at the service's own rate."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numpy import fft

from shared.domain.channel import Channel
from shared.domain.recording import SAMPLE_RATE, Samples

TELEPHONE_BAND_HZ: Final = (300.0, 3_400.0)
"""ITU-T G.712: the band of an analogue telephone channel."""

NARROW_END_HZ: Final = 3_900.0
"""Where filters end that leave 8,000 samples a second."""

_TELEPHONE_ORDER: Final = 8
"""Steepness of the telephone's edges, as of a Butterworth filter of this order: 48 dB an octave."""

_NARROW_ORDER: Final = 16
"""Steeper: filters that change a rate are."""

_PIECE: Final = 1 << 16
"""A recording's length is rounded up to a multiple of this for the transform, whose time hangs on the factors."""

Numbers = npt.NDArray[np.floating]


def heard_by(channel: Channel, samples: Samples) -> Samples:
    """The same speech, shape [n], as it sounds by the channel; phases stay as they are. An empty one stays empty."""
    if channel is Channel.WIDE or not len(samples):
        return samples
    size = -(-len(samples) // _PIECE) * _PIECE
    frequencies = fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    gain = (
        _telephone(frequencies) if channel is Channel.TELEPHONE else _below(frequencies, NARROW_END_HZ, _NARROW_ORDER)
    )
    return np.asarray(fft.irfft(fft.rfft(samples, size) * gain, size)[: len(samples)], np.float32)


def _narrow(frequencies: Numbers) -> Numbers:
    return _below(frequencies, NARROW_END_HZ, _NARROW_ORDER)


def _telephone(frequencies: Numbers) -> Numbers:
    low, high = TELEPHONE_BAND_HZ
    with np.errstate(divide="ignore"):
        above = 1.0 / np.sqrt(1.0 + (low / frequencies) ** (2 * _TELEPHONE_ORDER))
    return np.asarray(above * _below(frequencies, high, _TELEPHONE_ORDER))


def _below(frequencies: Numbers, high: float, order: int) -> Numbers:
    """A Butterworth filter's gain: -3 dB at ``high``."""
    return np.asarray(1.0 / np.sqrt(1.0 + (frequencies / high) ** (2 * order)))
