"""Speech detectors that need no model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared.audio.runs import Mask
from shared.domain.recording import Samples

_FRAME = 320


class Loudness:
    """Speech is each 20 ms within 30 dB of the loudest and above -60 dBFS: enough for signals with quiet pauses."""

    def speech_mask(self, samples: Samples) -> Mask:
        padded = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
        powers = (padded**2).mean(axis=1)
        loud = powers > max(float(powers.max()) * 1e-3, 1e-6)
        return np.asarray(np.repeat(loud, _FRAME)[: len(samples)])


@dataclass(frozen=True)
class Told:
    """Speech is what is said of the samples."""

    speech_mask: Callable[[Samples], Mask]


EVERYWHERE = Told(lambda samples: np.ones(len(samples), np.bool_))
SOUND = Told(lambda samples: np.asarray(np.abs(samples) > 1e-3))
"""All but digital silence is speech."""
