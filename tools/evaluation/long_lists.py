"""Lists of more candidates than anybody has recordings of: the candidates are synthesised.

Nobody has 100,000 real speakers at hand. Synthesised candidates lie around real ones who are not tested, with the
spread of all real ones. Whether they are as hard as real candidates is measured in the same run, on lists as long as
there are real ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.decision import ACCEPT_SCORE, open_set
from shared.domain.recording import Vector
from shared.inference.calibration import sigmoid
from tools.calibration.fit import Line

Numbers = npt.NDArray[np.float64]

SIZES: Final = (100, 1_000, 10_000, 100_000)
KINSHIP: Final = 0.8
"""How much of a synthesised candidate is a real one's departure from the mean, so that strangers come about as near as
to real candidates (the page compares them); the rest is drawn from the spread of all."""
DRAWS: Final = 10
"""Lists drawn for each test, where they are shorter than the pool."""
STRANGERS: Final = 0.05
"""The share of strangers named that the service aims at."""


@dataclass(frozen=True)
class LongList:
    """Shares of tests. ``missed_at_best``: with the one threshold at which ``STRANGERS`` are named."""

    candidates: int
    kind: str
    first: float
    missed: float
    strangers_named: float
    missed_at_best: float


@dataclass(frozen=True)
class Part:
    """Tests [t, dimension] with the cosine to their own speaker's signature [t], and candidates who are none of them.

    ``seconds`` are the tests' [t], ``enrolled_seconds`` one for every candidate.
    """

    tests: Vector = field(repr=False)
    own: Numbers = field(repr=False)
    seconds: Numbers = field(repr=False)
    enrolled_seconds: float
    real: Vector = field(repr=False)
    line: Line

    def log_odds(self, cosine: Numbers) -> Numbers:
        known = np.full(len(self.seconds), self.enrolled_seconds)
        return self.line.log_odds(cosine, np.minimum(known, self.seconds), np.maximum(known, self.seconds))


def long_lists(parts: Sequence[Part], spread: Vector) -> Iterator[LongList]:
    """``spread`` are real speakers' departures from the mean of their data set [n, dimension]."""
    random = np.random.default_rng(0)
    real = [part.tests @ part.real.T for part in parts]
    made = [part.tests @ synthesised(part.real, spread, SIZES[-1], random).T for part in parts]
    smallest = min(len(part.real) for part in parts)
    yield _list(parts, smallest, "real", [[cosines[:, :smallest].max(axis=1)] for cosines in real])
    for size in (smallest, *SIZES):
        yield _list(parts, size, "synthesised", [_best(cosines, size, random) for cosines in made])


def synthesised(real: Vector, spread: Vector, number: int, random: np.random.Generator) -> Vector:
    """Directions [number, dimension]: each a real speaker, of whom ``KINSHIP`` is kept, and a draw from the spread."""
    mean = real.mean(axis=0)
    kept = KINSHIP * (real[random.integers(len(real), size=number)] - mean)
    drawn = random.standard_normal((number, len(spread)), np.float32) @ spread / np.sqrt(len(spread))
    made = mean + kept + np.sqrt(1.0 - KINSHIP**2) * drawn
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def _best(cosines: Vector, size: int, random: np.random.Generator) -> list[Vector]:
    """The highest of a list's cosines for each test, for each list drawn."""
    pool = cosines.shape[1]
    if size == pool:
        return [cosines.max(axis=1)]
    return [cosines[:, random.choice(pool, size, replace=False)].max(axis=1) for _ in range(DRAWS)]


def _list(parts: Sequence[Part], size: int, kind: str, best: Sequence[Sequence[Vector]]) -> LongList:
    nearest = np.concatenate(
        [part.log_odds(np.asarray(one, np.float64)) for part, of in zip(parts, best, strict=True) for one in of]
    )
    own = np.concatenate([part.log_odds(part.own) for part, of in zip(parts, best, strict=True) for _ in of])
    first = own > nearest
    named, mistaken = (
        np.array([open_set(float(score), size) >= ACCEPT_SCORE for score in sigmoid(logit)]) for logit in (own, nearest)
    )
    return LongList(
        size,
        kind,
        float(first.mean()),
        float((~(first & named)).mean()),
        float(mistaken.mean()),
        float((~(first & (own > np.quantile(nearest, 1.0 - STRANGERS)))).mean()),
    )
