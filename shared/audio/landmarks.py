"""Landmarks of a recording: pairs of peaks of its spectrogram, which tell the same audio again.

After Wang, "An industrial-strength audio search algorithm", ISMIR 2003: a peak, a later peak near it, and the time
between them. Level makes no difference, and what a telephone line or a codec leaves of the peaks still pairs up at the
same times. Another take of the same words has other peaks at other times.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import SAMPLE_RATE, Samples
from shared.domain.replay import Landmarks

_WINDOW: Final = 1024
"""Samples: 64 ms, long enough to part the harmonics of a voice."""
_HOP: Final = 256
_BAND_HZ: Final = (300.0, 3_400.0)
"""What every telephone line carries (ITU-T G.712)."""
_ACROSS_FRAMES: Final = 4
_ACROSS_BINS: Final = 6
"""How far a peak is the highest, in both directions."""
_BELOW_DB: Final = 35.0
"""Peaks more than this below the loudest are no speech."""
_PEAKS_PER_SECOND: Final = 25.0
_MOST_PEAKS: Final = 160
_FAN_OUT: Final = 5
_LEAST_FRAMES: Final = 1
_MOST_FRAMES: Final = 63
_MOST_BINS: Final = 60
"""A peak is paired with the next five within a second and about a kilohertz."""

ALIGNMENTS: Final = (0, 64, 128, 192)
"""Samples left out at the beginning, so that a recording which was cut anywhere meets the same frames."""


class SpectralLandmarks:
    """Implements ``LandmarkFinder``."""

    def find(self, samples: Samples) -> Landmarks:
        return _paired(*_peaks(_spectrogram(samples)))

    def aligned(self, samples: Samples) -> list[Landmarks]:
        """As ``find``, once for each of ``ALIGNMENTS``."""
        return [self.find(samples[skipped:]) for skipped in ALIGNMENTS]


def _spectrogram(samples: Samples) -> npt.NDArray[np.float64]:
    """Decibels, [frames, bins] of the band."""
    padded = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    first, last = (round(hz * _WINDOW / SAMPLE_RATE) for hz in _BAND_HZ)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)[:, first:last]))
    return np.asarray(10.0 * np.log10(power + 1e-12))


def _peaks(levels: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Frames and bins of the strongest peaks, in the order of time."""
    highest = _highest(_highest(levels, _ACROSS_FRAMES, 0), _ACROSS_BINS, 1)
    times, bins = np.nonzero((levels >= highest) & (levels > levels.max() - _BELOW_DB))
    most = min(_MOST_PEAKS, round(_PEAKS_PER_SECOND * len(levels) * _HOP / SAMPLE_RATE))
    strongest = np.sort(np.argsort(levels[times, bins], kind="stable")[::-1][:most])
    return times[strongest], bins[strongest]


def _highest(levels: npt.NDArray[np.float64], across: int, axis: int) -> npt.NDArray[np.float64]:
    """The maximum within ``across`` to both sides."""
    edges = [(across, across) if axis == number else (0, 0) for number in range(2)]
    padded = np.pad(levels, edges, constant_values=-np.inf)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * across + 1, axis=axis).max(axis=-1))


def _paired(times: npt.NDArray[np.int64], bins: npt.NDArray[np.int64]) -> Landmarks:
    values, begins = [], []
    for number, (time, low) in enumerate(zip(times, bins, strict=True)):
        later = slice(number + 1, None)
        apart, higher = times[later] - time, bins[later] - low
        near = np.flatnonzero((apart >= _LEAST_FRAMES) & (apart <= _MOST_FRAMES) & (np.abs(higher) <= _MOST_BINS))
        for other in near[:_FAN_OUT]:
            values.append((int(low) << 16) | (int(bins[later][other]) << 8) | int(apart[other]))
            begins.append(int(time))
    return Landmarks(np.array(values, np.uint32), np.array(begins, np.uint16))
