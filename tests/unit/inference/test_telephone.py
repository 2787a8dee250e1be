"""The telephone's band, and voices that are compared inside it."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.recording import SAMPLE_RATE, Samples
from shared.inference.telephone import over_telephone


def tone(hertz: float, count: int = SAMPLE_RATE) -> Samples:
    return np.sin(2 * np.pi * hertz * np.arange(count) / SAMPLE_RATE).astype(np.float32)


def level_db(samples: Samples) -> float:
    inner = samples[2_000:-2_000]
    return 10.0 * float(np.log10(2.0 * np.mean(np.square(inner))))


@pytest.mark.parametrize("hertz", [500, 1_000, 2_500])
def test_what_is_inside_the_band_stays_as_it_is(hertz: float) -> None:
    np.testing.assert_allclose(over_telephone(tone(hertz))[2_000:-2_000], tone(hertz)[2_000:-2_000], atol=0.01)


@pytest.mark.parametrize(("hertz", "at_most"), [(100, -60.0), (150, -45.0), (5_000, -25.0), (7_000, -45.0)])
def test_what_is_outside_goes(hertz: float, at_most: float) -> None:
    assert level_db(over_telephone(tone(hertz))) < at_most


@pytest.mark.parametrize("hertz", [300, 3_400])
def test_the_edges_are_3_db_down(hertz: float) -> None:
    assert level_db(over_telephone(tone(hertz))) == pytest.approx(-3.0, abs=0.1)


@pytest.mark.parametrize("count", [0, 1, 65_535, 65_536, 65_537])
def test_a_recording_of_any_length_keeps_it(count: int) -> None:
    assert over_telephone(tone(1_000, count)).shape == (count,)
