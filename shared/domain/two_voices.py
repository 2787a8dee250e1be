"""Pieces of one recording in two groups, those together that sound alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Numbers, Vector

Mask: TypeAlias = npt.NDArray[np.bool_]
Reals: TypeAlias = npt.NDArray[Any]
"""In whatever precision."""

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
    is_second = settled(pieces, pieces, pieces @ second > pieces @ first)
    if is_second is None:
        return None
    if is_second.sum() * 2 > len(pieces):
        is_second = ~is_second
    return Halves(is_second, _direction(pieces[~is_second]), _direction(pieces[is_second]))


def settled(pooled: Reals, directions: Reals, is_second: Mask) -> Mask | None:
    """2-means over directions [n, d] of unit length, begun with two groups: who is in the second in the end; ``None``
    when one takes all.

    A group's direction is that of its sum of ``pooled`` [n, d].
    """
    for _ in range(_ROUNDS):
        if is_second.all() or not is_second.any():
            return None
        first, second = _direction(pooled[~is_second]), _direction(pooled[is_second])
        nearer = directions @ second > directions @ first
        if (nearer == is_second).all():
            return is_second
        is_second = nearer
    return is_second if is_second.any() and not is_second.all() else None


def _direction(pooled: Reals) -> Reals:
    total = pooled.sum(axis=0)
    return np.asarray(total / np.linalg.norm(total))
