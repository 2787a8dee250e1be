"""A speech detector that goes by loudness: enough for signals whose pauses are quiet, and it needs no model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Samples

_FRAME = 320


class Loudness:
    """Speech is each 20 ms within 30 dB of the loudest and above -60 dBFS."""

    def speech_mask(self, samples: Samples) -> npt.NDArray[np.bool_]:
        padded = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
        powers = (padded**2).mean(axis=1)
        loud = powers > max(float(powers.max()) * 1e-3, 1e-6)
        return np.asarray(np.repeat(loud, _FRAME)[: len(samples)])
