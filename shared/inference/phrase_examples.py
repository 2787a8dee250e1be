"""Whether a recording says what other recordings say, in whatever language: an alignment of takes.

The first part of the speaker network hears every 20 ms of speech, pauses left out; of that are kept the directions that
tell sounds apart and not voices or lines. The take that is compared is laid along each enrolled one, free to begin and
to end a little inside it; where it goes at double pace or stands still that counts. What counts is how far apart the
two are on the way: on the whole, and where it is worst, as one other word is another phrase. ``docs/phrases.md`` has
the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.measurement import stage
from shared.domain.passphrase import BY_EXAMPLE, NOTHING_HEARD_SCORE, HeardPhrase, PhraseTemplate
from shared.domain.recording import Samples, Utterance
from shared.inference.fbank import FRAME, fbank, leveled
from shared.inference.model_card import FbankRules
from shared.inference.onnx_network import OnnxNetwork

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

DIMENSION: Final = 32
LEVEL_DBFS: Final = -23.0
RULES: Final = FbankRules("povey", 1.0)
FRAME_STEP: Final = 2
"""Frames of 10 ms that a frame of the network stands for."""
_ONE: Final = 127.0  # in a template's bytes

FREE_FRAMES: Final = 8
"""At either end (0.16 s): where speech is found to begin and end differs from take to take."""
OFF_PACE: Final = np.float32(0.1)
"""On top of the distance of a frame where the other take stands still or goes at double pace."""
WORST_FRAMES: Final = 15
"""Over which the worst stretch is measured (0.3 s): a short word."""
EDGE_FRAMES: Final = 6
"""At either end of the enrolled take (0.12 s): no part of the worst stretch, as they may hold a breath or half a sound.
Of 180 retakes of real stretches 14 were refused with them, all at an edge, and 4 without."""

MOST_APART: Final = 0.32
MOST_APART_AT_WORST: Final = 0.45
"""From where on takes say something else. Measured: docs/phrases.md. Real takes of one phrase are up to 0.25 and 0.39
apart, other real sentences of the same voice at least 0.51 and 0.69."""


class AlignedTakes:
    """Implements ``PhraseExamples``. Safe to share between threads. Nothing is opened before the first use."""

    def __init__(self, network: OnnxNetwork, front_end: str) -> None:
        """``front_end`` is the network's id: it changes with everything that changes a template."""
        self._network, self.front_end = network, front_end

    def template(self, utterance: Utterance) -> PhraseTemplate:
        """A byte for each of the 32 dimensions of every 20 ms: 24 KB of the longest recording."""
        spoken = leveled(utterance.spoken, LEVEL_DBFS)
        with stage("phrase"):
            directions = _unit(sounds(self._network, spoken))
        return PhraseTemplate(self.front_end, np.rint(directions * _ONE).astype(np.int8).tobytes())

    def compare(self, take: PhraseTemplate, enrolled: Sequence[PhraseTemplate]) -> HeardPhrase:
        """By the enrolled take that is nearest on the whole, and by the one that is nearest where it is worst."""
        if not enrolled:
            return HeardPhrase.nothing()
        with stage("phrase"):
            apart = distances([_directions(template) for template in enrolled], _directions(take))
        mean, worst = apart.min(axis=0)
        recognised = bool(mean <= MOST_APART and worst <= MOST_APART_AT_WORST)
        return HeardPhrase(BY_EXAMPLE, NOTHING_HEARD_SCORE if np.isinf(mean) else -float(mean), recognised)


def sounds(network: OnnxNetwork, samples: Samples, spoken: Mask | None = None) -> Array:
    """What the network makes of every 20 ms of samples [n] at ``LEVEL_DBFS``: [frames, ``DIMENSION``].

    Of what goes in and of what comes out the mean is taken away: that of the ``spoken`` frames of 10 ms, or of all.
    """
    features = fbank(np.resize(samples, max(FRAME, len(samples))), RULES)
    heard = network.run_single(_centred(features, spoken)[None])[0]
    return _centred(heard, None if spoken is None else spoken[::FRAME_STEP])


def _centred(rows: Array, counted: Mask | None) -> Array:
    return np.asarray(rows - (rows if counted is None else rows[counted]).mean(axis=0), np.float32)


def distances(enrolled: Sequence[Array], said: Array) -> Array:
    """On the whole and at worst, along the best alignment of each enrolled take with the one said: shape [n, 2].

    Takes are [frames, 32] of unit length. 0 is the same, 1 unrelated; infinite where the one said is more than twice as
    long.
    """
    apart = np.zeros((max(map(len, enrolled)), len(enrolled), len(said)), np.float32)
    for number, take in enumerate(enrolled):
        apart[: len(take), number] = np.float32(1.0) - take @ said.T
    costs, came_from = _costs(apart, [len(take) for take in enrolled])
    pairs = []
    for number, take in enumerate(enrolled):
        way = _way(costs[number], came_from[: len(take), number])
        pairs.append((np.inf, np.inf) if way is None else _measures(apart[np.arange(len(take)), number, way]))
    return np.array(pairs, np.float32)


def alignment(enrolled: Array, said: Array) -> Places | None:
    """For each frame of one take the frame of the other that it is laid on; ``None`` where they do not fit."""
    costs, came_from = _costs((np.float32(1.0) - enrolled @ said.T)[:, None], [len(enrolled)])
    return _way(costs[0], came_from[:, 0])


def _costs(apart: Array, lengths: Sequence[int]) -> tuple[Array, npt.NDArray[np.int8]]:
    """Of the best ways to each frame of the last row of each take, and for every place how many columns the way to it
    stepped.

    ``apart`` is [rows, takes, columns]: a row is a frame of an enrolled take, a column one of the other. Every row is
    passed once; a step is 0, 1 or 2 columns.
    """
    rows, takes, columns = apart.shape
    came_from = np.zeros(apart.shape, np.int8)
    ends = np.full((takes, columns), np.inf, np.float32)
    before = np.full((takes, columns + 2), np.inf, np.float32)
    cost = np.full((takes, columns), np.inf, np.float32)
    cost[:, :FREE_FRAMES] = apart[0, :, :FREE_FRAMES]
    for row in range(rows):
        if row:
            before[:, 2:] = cost
            off_pace = before + OFF_PACE
            steps = np.stack([off_pace[:, 2:], before[:, 1:-1], off_pace[:, :-2]])
            came_from[row] = steps.argmin(axis=0)
            cost = steps.min(axis=0) + apart[row]
        for take, length in enumerate(lengths):
            if length == row + 1:
                ends[take] = cost[take]
    return ends, came_from


def _way(cost: Array, came_from: npt.NDArray[np.int8]) -> Places | None:
    """The column of each row, from the best end back."""
    first = max(0, len(cost) - FREE_FRAMES)
    column = first + int(np.argmin(cost[first:]))
    if not np.isfinite(cost[column]):
        return None
    way = np.empty(len(came_from), np.intp)
    for row in range(len(way) - 1, -1, -1):
        way[row] = column
        column -= int(came_from[row, column])
    return way


def _measures(along: Array) -> tuple[float, float]:
    """On the whole and at worst."""
    inside = along[EDGE_FRAMES:-EDGE_FRAMES] if len(along) > 2 * EDGE_FRAMES + FREE_FRAMES else along
    window = min(WORST_FRAMES, len(inside))
    worst = np.convolve(inside, np.full(window, 1.0 / window, np.float32), mode="valid").max()
    return float(along.mean()), float(worst)


def _directions(template: PhraseTemplate) -> Array:
    return _unit(np.frombuffer(template.content, np.int8).reshape(-1, DIMENSION).astype(np.float32))


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)
