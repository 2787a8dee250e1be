"""Pieces of one recording in two groups, those together that sound alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Vector

Numbers: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_ROUNDS: Final = 10
"""Groups are settled after three or four."""


@dataclass(frozen=True)
class Halves:
    """``second`` marks the pieces of the smaller group, shape [n]; the directions are of unit length."""

    second: Mask
    first_direction: Vector = field(repr=False)
    second_direction: Vector = field(repr=False)


def halves(embeddings: Sequence[Vector], alike: Callable[[Vector, Vector], Numbers]) -> Halves | None:
    """2-means over directions, from the two pieces that are least alike; ``None`` when one group takes all.

    ``alike``: scores [n] of a direction against directions [n, d].
    """
    pieces = np.stack(embeddings)
    scores = np.stack([alike(piece, pieces) for piece in pieces])
    first, second = (pieces[index] for index in divmod(int(scores.argmin()), len(pieces)))
    is_second = np.zeros(len(pieces), np.bool_)
    for _ in range(_ROUNDS):
        nearer = pieces @ second > pieces @ first
        if nearer.all() or not nearer.any():
            return None
        first, second = _direction(pieces[~nearer]), _direction(pieces[nearer])
        if (nearer == is_second).all():
            break
        is_second = nearer
    if is_second.sum() * 2 > len(pieces):
        return Halves(~is_second, second, first)
    return Halves(is_second, first, second)


def _direction(embeddings: Vector) -> Vector:
    total = embeddings.sum(axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)
