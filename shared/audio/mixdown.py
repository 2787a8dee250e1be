"""Many channels to one."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_SILENT: Final = 1e-3
"""Power against the loudest channel, -30 dB: a channel below has crosstalk or hiss and would only halve the voice."""

_CANCELLED: Final = 0.1
"""Power of the mean against the loudest channel, -10 dB: below it the channels are wired against each other."""


def mixed(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of the channels that carry the voice; shape [n, channels] to [n].

    Channels that are silent beside the loudest are left out. Where the mean cancels the voice, as with one channel
    inverted, the loudest channel stands alone.
    """
    if samples.shape[1] == 1 or not len(samples):
        return samples[:, 0]
    powers = np.einsum("ij,ij->j", samples, samples, dtype=np.float64)
    loudest = int(np.argmax(powers))
    carrying = powers > _SILENT * powers[loudest]
    if np.count_nonzero(carrying) <= 1:
        return np.ascontiguousarray(samples[:, loudest])
    mean = samples[:, carrying].mean(axis=1, dtype=np.float32)
    if float(np.dot(mean, mean)) < _CANCELLED * powers[loudest]:
        return np.ascontiguousarray(samples[:, loudest])
    return np.asarray(mean, dtype=np.float32)
