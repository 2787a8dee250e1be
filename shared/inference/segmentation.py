"""Who of up to three speakers talks in each moment of ten seconds, by pyannote's segmentation-3.0."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.heard_speech import WINDOW
from shared.domain.recording import Samples
from shared.inference.onnx_network import OnnxNetwork

_SPEAKERS: Final = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.bool_
)  # fmt: skip
"""Who speaks in each of the network's classes."""


class OnnxSegmentation:
    """Implements ``Segmentation``. Safe to share between threads. Nothing is opened before the first use."""

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network

    def speaking(self, window: Samples) -> npt.NDArray[np.bool_]:
        """Which of three speakers talks, [589, 3], frame by frame; ``window`` is [n], n <= 160,000: silence follows.

        One window at a time: several at once save a tenth of the time, and would let what a slice gives depend on
        where it ends. Raises ``ModelFileMissing``, ``ModelUnfit``.
        """
        samples = np.zeros((1, 1, WINDOW), np.float32)
        samples[0, 0, : len(window)] = window
        classes = self._network.run(["log_probabilities"], {"samples": samples})[0][0]
        return np.asarray(_SPEAKERS[classes.argmax(axis=1)])
