"""What tells sounds apart and not voices is found, whatever else is louder."""

from __future__ import annotations

import numpy as np

from tools.models.phrase_directions import aligned, discriminants


def test_the_direction_in_which_sounds_differ_is_found_beside_a_louder_one_of_voices() -> None:
    random = np.random.default_rng(1)
    sounds = random.normal(size=(300, 1)) * [1.0, 0.0, 0.0]
    voices = random.normal(size=(300, 5, 1)) * [0.0, 30.0, 0.0]
    frames = sounds[:, None] + voices + 0.05 * random.normal(size=(300, 5, 3))
    (first,) = discriminants([np.asarray(group, np.float32) for group in frames], 1).T
    assert abs(first[0]) / np.linalg.norm(first) > 0.99


def test_a_slower_take_is_laid_along_the_first() -> None:
    quick = np.eye(16, dtype=np.float32)
    groups = aligned([quick, np.repeat(quick, 2, axis=0)], quick)
    assert len(groups) == 16
    assert all(np.array_equal(first, other) for first, other in groups)


def test_a_take_that_does_not_fit_says_nothing() -> None:
    long = np.eye(40, dtype=np.float32)
    assert aligned([long[:2], long], long) == []
