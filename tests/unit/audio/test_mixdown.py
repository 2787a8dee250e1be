from __future__ import annotations

import numpy as np

from shared.audio.mixdown import mixed
from tests.unit.audio.encoded import tone


def test_channels_are_averaged() -> None:
    left, right = tone(2.0, frequency=300), tone(2.0, frequency=500)

    assert np.allclose(mixed(np.stack([left, right])), (left + right) / 2, atol=1e-6)


def test_a_silent_channel_does_not_halve_the_other() -> None:
    voice = tone(2.0)

    assert np.array_equal(mixed(np.stack([np.zeros_like(voice), voice])), voice)


def test_an_inverted_channel_does_not_cancel_the_other() -> None:
    voice = tone(2.0)

    assert np.array_equal(mixed(np.stack([voice, -voice])), voice)
