"""From cosines to scores whose 0.5 means the same for two seconds and for twenty.

Short speech pulls the cosines of strangers and of the same speaker alike towards smaller values, so that one threshold
on the cosine has another false-match rate at every length. ``tools/calibration/fit.py`` says how the line is found.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.inference.model_card import Calibration

Numbers = npt.NDArray[np.float64]


def scores(calibration: Calibration, cosines: Numbers, seconds: float, other_seconds: Numbers) -> Numbers:
    """Scores in [0, 1], shape [n].

    ``cosines`` [n] between one recording with ``seconds`` of net speech and n signatures with ``other_seconds`` [n].
    """
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
