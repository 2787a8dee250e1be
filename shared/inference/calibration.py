"""From cosines to scores whose 0.5 means the same for two seconds and for twenty.

Short speech pulls the cosines of strangers and of the same speaker alike towards smaller values, so that one threshold
on the cosine has another false-match rate at every length. ``tools/calibration/fit.py`` says how the line is found.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.calibration import Calibration

Numbers = npt.NDArray[np.float64]

UNCALIBRATED_COSINE: Final = 0.85
"""Where a model without a calibration starts to accept: the highest 1 % point measured on any model so far, GE2E's
for 12 s against 12 s. A stronger network's strangers lie far below it, so it errs on the side of refusing."""
UNCALIBRATED_SLOPE: Final = 20.0  # log-odds per cosine without a calibration: half of GE2E's
UNCALIBRATED_RANGE: Final = (0.21, 0.79)
"""Scores without a calibration keep inside: whatever the threshold, that is never v1.0's ``High``."""


def scores(calibration: Calibration | None, cosines: Numbers, seconds: float, other_seconds: Numbers) -> Numbers:
    """Scores in [0, 1], shape [n].

    ``cosines`` [n] between one recording with ``seconds`` of net speech and n signatures with ``other_seconds`` [n].
    Without a calibration 0.5 is a high cosine and nothing is claimed for it.
    """
    if calibration is None:
        return np.clip(sigmoid(UNCALIBRATED_SLOPE * (cosines - UNCALIBRATED_COSINE)), *UNCALIBRATED_RANGE)
    own = np.clip(seconds, calibration.min_seconds, calibration.max_seconds)
    other = np.clip(other_seconds, calibration.min_seconds, calibration.max_seconds)
    logit = (
        calibration.bias
        + calibration.cosine * cosines
        + calibration.log_shorter * np.log(np.minimum(own, other))
        + calibration.log_longer * np.log(np.maximum(own, other))
    )
    return sigmoid(logit - calibration.threshold_logit)


def sigmoid(logit: Numbers) -> Numbers:
    """1 / (1 + exp(-logit)), without overflow for large negative values."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logit)))
