"""Whether a recording says what other recordings say, in whatever language: an alignment of takes.

A take becomes a row of features every 20 ms of speech, pauses left out. The take that is compared is laid along each
enrolled one, faster or slower by at most a factor of two, free to begin and to end a little inside it. What remains is
how far apart the two are on the way: on the whole, and where it is worst, as one other word is another phrase.
``docs/phrases.md`` has the figures.
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

Array = npt.NDArray[np.float32]

FRONT_END: Final = "mfcc20-1"
"""Changes with everything that changes a template."""

LEVEL_DBFS: Final = -23.0
_RULES: Final = FbankRules("povey", 1.0)
_BANDS: Final = 40
_COEFFICIENTS: Final = 20
_SCALE: Final = 32.0  # of a coefficient in its byte: to 4 standard deviations

FREE_FRAMES: Final = 8
"""At either end (0.16 s): where speech is found to begin and end differs from take to take."""
_OFF_PACE: Final = np.float32(0.1)
"""On top of the distance of a frame where the other take stands still or goes at double pace."""
WORST_FRAMES: Final = 15
"""Over which the worst stretch is measured (0.3 s): a short word."""
MOST_APART: Final = 0.5
MOST_APART_AT_WORST: Final = 0.8


class AlignedTakes:
    """Implements ``PhraseExamples``. Safe to share between threads."""

    front_end = FRONT_END

    def template(self, utterance: Utterance) -> PhraseTemplate:
        with stage("phrase"):
            features = _features(leveled(utterance.spoken, LEVEL_DBFS))
        return PhraseTemplate(FRONT_END, np.clip(np.rint(features * _SCALE), -127, 127).astype(np.int8).tobytes())

    def compare(self, take: PhraseTemplate, enrolled: Sequence[PhraseTemplate]) -> HeardPhrase:
        """The nearest of the enrolled takes decides."""
        with stage("phrase"):
            said = _directions(take)
            apart = [distances(_directions(template), said) for template in enrolled]
        mean, worst = min(apart, default=(np.inf, np.inf))
        recognised = mean <= MOST_APART and worst <= MOST_APART_AT_WORST
        return HeardPhrase(BY_EXAMPLE, NOTHING_HEARD_SCORE if np.isinf(mean) else -mean, recognised)


def distances(enrolled: Array, said: Array) -> tuple[float, float]:
    """On the whole and at worst, along the best alignment of two takes, each [frames, dimension] of unit length.

    0 is the same, 1 unrelated; infinite where one is more than twice as long as the other.
    """
    apart = np.float32(1.0) - enrolled @ said.T
    came_from = np.zeros(apart.shape, np.int8)
    cost = np.full(len(said), np.inf, np.float32)
    cost[:FREE_FRAMES] = apart[0, :FREE_FRAMES]
    padded = np.full(len(said) + 2, np.inf, np.float32)
    for row in range(1, len(apart)):
        padded[2:] = cost
        steps = np.stack([padded[2:] + _OFF_PACE, padded[1:-1], padded[:-2] + _OFF_PACE])
        came_from[row] = steps.argmin(axis=0)
        cost = steps.min(axis=0) + apart[row]
    column = (
        len(said) - FREE_FRAMES + int(np.argmin(cost[-FREE_FRAMES:]))
        if len(said) > FREE_FRAMES
        else int(np.argmin(cost))
    )
    if not np.isfinite(cost[column]):
        return np.inf, np.inf
    total, along = float(cost[column]), np.empty(len(apart), np.float32)
    for row in range(len(apart) - 1, -1, -1):
        along[row] = apart[row, column]
        column -= int(came_from[row, column])
    window = min(WORST_FRAMES, len(along))
    worst = np.convolve(along, np.full(window, 1.0 / window, np.float32), mode="valid").max()
    return total / len(apart), float(worst)


def _features(spoken: Samples) -> Array:
    """[frames, 20], each coefficient with mean 0 and deviation 1 over the take."""
    energies = fbank(np.resize(spoken, max(FRAME, len(spoken))), _RULES)[::2]
    bands = energies.reshape(len(energies), _BANDS, -1).mean(axis=2)
    places = np.arange(_BANDS) + 0.5
    cepstrum = bands @ np.cos(np.pi / _BANDS * np.outer(places, np.arange(_COEFFICIENTS))).astype(np.float32)
    centred = cepstrum - cepstrum.mean(axis=0)
    return np.asarray(centred / (centred.std(axis=0) + 1e-3), np.float32)


def _directions(template: PhraseTemplate) -> Array:
    features = np.frombuffer(template.content, np.int8).reshape(-1, _COEFFICIENTS).astype(np.float32)
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6), np.float32)
