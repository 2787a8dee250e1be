"""From cosines to scores whose 0.5 means the same for two seconds and for twenty.

Brümmer and du Preez, "Application-independent evaluation of speaker detection" (2006) for calibration by logistic
regression; the durations as side information because short speech pulls cosines of strangers and of the same speaker
towards each other.
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
