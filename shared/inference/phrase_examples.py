"""Whether a recording says what other recordings say, in whatever language: an alignment of takes.

The first part of the speaker network hears every 20 ms of speech, pauses left out, and Moonshine's encoder every 24 ms
(``phrase_states.py``); of both are kept the directions that tell sounds apart and not voices or lines. The take that is
compared is laid along each enrolled one, once by each, free to begin and to end a little inside it; where it goes at
double pace or stands still that counts. What counts is how far apart the two are on the way: on the whole, and where it
is worst, as one other word is another phrase. ``docs/phrases.md`` has the figures.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.domain.measurement import stage
from shared.domain.passphrase import BY_EXAMPLE, NOTHING_HEARD_SCORE, HeardPhrase, PhraseTemplate
from shared.domain.recording import Samples, Utterance
from shared.inference.fbank import FRAME, fbank, leveled
from shared.inference.model_card import FbankRules
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.phrase_states import STATES_ID, SoundStates

Array = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

DIMENSION: Final = 32
LEVEL_DBFS: Final = -23.0
RULES: Final = FbankRules("povey", 1.0)
_ONE: Final = 127.0  # in a template's bytes
_FRAMES_SAID: Final = struct.Struct("<I")

OFF_PACE: Final = np.float32(0.1)
"""On top of the distance of a frame where the other take stands still or goes at double pace."""


@dataclass(frozen=True)
class Reach:
    """How many frames of one kind count for what.

    ``free``: at either end (0.16 s), as where speech is found to begin and end differs from take to take. ``edge``: at
    either end of the enrolled take (0.12 s) no part of the worst stretch, as they may hold a breath or half a sound (of
    180 retakes of real stretches 14 were refused with them, all at an edge, and 4 without). ``worst``: over which the
    worst stretch is measured, a short word.
    """

    free: int
    edge: int
    worst: int


FRAMES: Final = Reach(free=8, edge=6, worst=15)
STATES: Final = Reach(free=7, edge=5, worst=10)
"""Of 20 and of 24 ms: the worst stretches are 0.3 and 0.24 s."""

MOST_APART: Final = 0.32
MOST_APART_AT_WORST: Final = 0.85
"""From where on takes say something else: frames on the whole, and the sum of the worst stretches of frames and of
states. Measured: docs/internals/passphrases.md. Real takes of one phrase are up to 0.24 and 0.65 apart, other real
sentences of the same voice at least 0.50 and 1.5."""


class Parts(NamedTuple):
    """A take as both networks hear it, each [n, ``DIMENSION``] of unit length."""

    frames: Array
    states: Array


class AlignedTakes:
    """Implements ``PhraseExamples``. Safe to share between threads. Nothing is opened before the first use."""

    def __init__(self, network: OnnxNetwork, network_id: str, states: SoundStates) -> None:
        """``front_end`` is made of both ids: it changes with everything that changes a template."""
        self._network, self._states, self.front_end = network, states, f"{network_id}+{STATES_ID}"

    def template(self, utterance: Utterance) -> PhraseTemplate:
        """A byte for each of the 32 dimensions of every 20 ms and of every 24 ms: 44 KB of the longest recording."""
        spoken = leveled(utterance.spoken, LEVEL_DBFS)
        with stage("phrase"):
            parts = Parts(_unit(sounds(self._network, spoken)), _unit(self._states.of(spoken)))
        return PhraseTemplate(self.front_end, _packed(parts))

    def compare(self, take: PhraseTemplate, enrolled: Sequence[PhraseTemplate]) -> HeardPhrase:
        """By the enrolled take that is nearest on the whole, and by those that are nearest where it is worst."""
        if not enrolled:
            return HeardPhrase.nothing()
        with stage("phrase"):
            said, takes = _parts(take), [_parts(template) for template in enrolled]
            mean, worst = distances([each.frames for each in takes], said.frames, FRAMES).min(axis=0)
            worst += distances([each.states for each in takes], said.states, STATES).min(axis=0)[1]
        recognised = bool(mean <= MOST_APART and worst <= MOST_APART_AT_WORST)
        return HeardPhrase(BY_EXAMPLE, NOTHING_HEARD_SCORE if np.isinf(mean) else -float(mean), recognised)


def sounds(network: OnnxNetwork, samples: Samples) -> Array:
    """What the network makes of every 20 ms of samples [n] at ``LEVEL_DBFS``, less its mean: [n, ``DIMENSION``]."""
    features = fbank(np.resize(samples, max(FRAME, len(samples))), RULES)
    return _centred(network.run_single(_centred(features)[None])[0])


def _centred(rows: Array) -> Array:
    return np.asarray(rows - rows.mean(axis=0), np.float32)


def distances(enrolled: Sequence[Array], said: Array, reach: Reach) -> Array:
    """On the whole and at worst, along the best alignment of each enrolled take with the one said: shape [n, 2].

    Takes are [frames, 32] of unit length. 0 is the same, 1 unrelated; infinite where the one said is more than twice as
    long.
    """
    apart = np.zeros((max(map(len, enrolled)), len(enrolled), len(said)), np.float32)
    for number, take in enumerate(enrolled):
        apart[: len(take), number] = np.float32(1.0) - take @ said.T
    costs, came_from = _costs(apart, [len(take) for take in enrolled], reach.free)
    pairs = []
    for number, take in enumerate(enrolled):
        way = _way(costs[number], came_from[: len(take), number], reach.free)
        pairs.append((np.inf, np.inf) if way is None else _measures(apart[np.arange(len(take)), number, way], reach))
    return np.array(pairs, np.float32)


def alignment(enrolled: Array, said: Array) -> Places | None:
    """For each frame of one take the frame of the other that it is laid on; ``None`` where they do not fit."""
    costs, came_from = _costs((np.float32(1.0) - enrolled @ said.T)[:, None], [len(enrolled)], FRAMES.free)
    return _way(costs[0], came_from[:, 0], FRAMES.free)


def _costs(apart: Array, lengths: Sequence[int], free: int) -> tuple[Array, npt.NDArray[np.int8]]:
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
    cost[:, :free] = apart[0, :, :free]
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


def _way(cost: Array, came_from: npt.NDArray[np.int8], free: int) -> Places | None:
    """The column of each row, from the best end back."""
    first = max(0, len(cost) - free)
    column = first + int(np.argmin(cost[first:]))
    if not np.isfinite(cost[column]):
        return None
    way = np.empty(len(came_from), np.intp)
    for row in range(len(way) - 1, -1, -1):
        way[row] = column
        column -= int(came_from[row, column])
    return way


def _measures(along: Array, reach: Reach) -> tuple[float, float]:
    """On the whole and at worst."""
    inside = along[reach.edge : -reach.edge] if len(along) > 2 * reach.edge + reach.free else along
    window = min(reach.worst, len(inside))
    worst = np.convolve(inside, np.full(window, 1.0 / window, np.float32), mode="valid").max()
    return float(along.mean()), float(worst)


def _packed(parts: Parts) -> bytes:
    """How many frames there are, then frames and states in bytes."""
    bytes_of = (np.rint(part * _ONE).astype(np.int8).tobytes() for part in parts)
    return b"".join((_FRAMES_SAID.pack(len(parts.frames)), *bytes_of))


def _parts(template: PhraseTemplate) -> Parts:
    (frames,) = _FRAMES_SAID.unpack_from(template.content)
    rows = np.frombuffer(template.content, np.int8, offset=_FRAMES_SAID.size).reshape(-1, DIMENSION).astype(np.float32)
    return Parts(_unit(rows[:frames]), _unit(rows[frames:]))


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)
