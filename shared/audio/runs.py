"""Where a mask is true."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def runs(mask: Mask) -> npt.NDArray[np.int64]:
    """First and last + 1 of each stretch of true values, shape [stretches, 2]; ``mask`` is [n]."""
    return np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
