"""Where the original samples were at full scale.

Found before resampling and mixing: both turn flat tops into ripples that no longer touch full scale.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import SAMPLE_RATE

FULL_SCALE: Final = 0.98
"""mu-law ends at 32124 of 32768 (0.9803), A-law at 32256, unsigned 8 bit at 127 of 128: all above this."""

SHORTEST_RUN: Final = 3
"""Samples. A peak that just touches full scale, as after normalising, has one or two there; a flat top has more."""


class ClippedRuns:
    """Collects runs of full-scale samples over the blocks of a recording, channel by channel.

    A run that is cut by the border of two blocks counts as two.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._frames = 0
        self._runs: list[list[npt.NDArray[np.int64]]] = [[] for _ in range(channels)]

    def add(self, block: npt.NDArray[np.float32]) -> None:
        """``block`` has shape [frames, channels]."""
        for samples, runs in zip(block.T, self._runs, strict=True):
            if len(samples) and max(samples.max(), -samples.min()) >= FULL_SCALE:
                full = np.abs(samples) >= FULL_SCALE
                edges = np.flatnonzero(np.diff(np.concatenate(([False], full, [False])).astype(np.int8)))
                pairs = edges.reshape(-1, 2)
                runs.append(pairs[pairs[:, 1] - pairs[:, 0] >= SHORTEST_RUN] + self._frames)
        self._frames += len(block)

    def mask(self, count: int) -> npt.NDArray[np.bool_]:
        """Which of ``count`` samples at 16 kHz lie in a run, shape [channels, count]."""
        return np.stack([self._channel_mask(runs, count) for runs in self._runs])

    def _channel_mask(self, found: list[npt.NDArray[np.int64]], count: int) -> npt.NDArray[np.bool_]:
        if not found:
            return np.zeros(count, dtype=np.bool_)
        runs = np.concatenate(found) * (SAMPLE_RATE / self._rate)
        starts, ends = (np.minimum(np.rint(edges).astype(np.int64), count) for edges in runs.T)
        steps = np.bincount(starts, minlength=count + 1) - np.bincount(ends, minlength=count + 1)
        return np.asarray(np.cumsum(steps)[:count] > 0)
