"""Many channels to one."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_SILENT: Final = 1e-3
"""Power against the loudest channel, -30 dB: a channel below has crosstalk or hiss and would only halve the voice."""

_CANCELLED: Final = 0.1
"""Power of the mean against the loudest channel, -10 dB: below it the channels are wired against each other."""


def mixed(channels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of the channels that carry the voice; shape [channels, n] to [n].

    Channels that are silent beside the loudest are left out. Where the mean cancels the voice, as with one channel
    inverted, the loudest channel stands alone.
    """
    if len(channels) == 1 or not channels.shape[1]:
        return np.ascontiguousarray(channels[0])
    powers = np.einsum("ij,ij->i", channels, channels, dtype=np.float64)
    loudest = int(np.argmax(powers))
    carrying = powers > _SILENT * powers[loudest]
    if np.count_nonzero(carrying) <= 1:
        return np.ascontiguousarray(channels[loudest])
    mean = channels[carrying].mean(axis=0, dtype=np.float32)
    if float(np.dot(mean, mean)) < _CANCELLED * powers[loudest]:
        return np.ascontiguousarray(channels[loudest])
    return np.asarray(mean, dtype=np.float32)
