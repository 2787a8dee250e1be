"""Pieces of a recording in two groups."""

from __future__ import annotations

import numpy as np

from shared.domain.recording import Numbers, Vector
from shared.domain.two_voices import halves

RANDOM = np.random.default_rng(1)


def cosines(piece: Vector, pieces: Vector) -> Numbers:
    return np.asarray(pieces @ piece, np.float64)


def pieces(axis: int, count: int) -> list[Vector]:
    made = np.eye(16)[axis] + 0.1 * RANDOM.normal(size=(count, 16))
    return list(np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32))


def test_the_smaller_group_is_the_second() -> None:
    first, second = pieces(0, 9), pieces(1, 4)
    found = halves([*second[:2], *first, *second[2:]], cosines)
    assert found is not None
    assert found.second.tolist() == [True] * 2 + [False] * 9 + [True] * 2
    assert found.first_direction[0] > 0.9
    assert found.second_direction[1] > 0.9


def test_pieces_that_are_the_same_are_one_group() -> None:
    assert halves(pieces(0, 1) * 5, cosines) is None
