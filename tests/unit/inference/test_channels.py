"""Speech as it sounds by narrower channels."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.channel import Channel
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.inference.channels import heard_by

NARROW, TELEPHONE = Channel.NARROW, Channel.TELEPHONE


def tone(hertz: float, count: int = SAMPLE_RATE) -> Samples:
    return np.sin(2 * np.pi * hertz * np.arange(count) / SAMPLE_RATE).astype(np.float32)


def level_db(samples: Samples) -> float:
    inner = samples[2_000:-2_000]
    return 10.0 * float(np.log10(2.0 * np.mean(np.square(inner))))


@pytest.mark.parametrize(
    ("channel", "hertz"),
    [(TELEPHONE, 500), (TELEPHONE, 1_000), (TELEPHONE, 2_500), (NARROW, 50), (NARROW, 250), (NARROW, 3_300)],
)
def test_what_is_inside_the_band_stays_as_it_is(channel: Channel, hertz: float) -> None:
    np.testing.assert_allclose(heard_by(channel, tone(hertz))[2_000:-2_000], tone(hertz)[2_000:-2_000], atol=0.01)


@pytest.mark.parametrize(
    ("channel", "hertz", "at_most"),
    [
        (TELEPHONE, 100, -60.0),
        (TELEPHONE, 150, -45.0),
        (TELEPHONE, 5_000, -25.0),
        (TELEPHONE, 7_000, -45.0),
        (NARROW, 4_500, -18.0),
        (NARROW, 5_500, -45.0),
    ],
)
def test_what_is_outside_goes(channel: Channel, hertz: float, at_most: float) -> None:
    assert level_db(heard_by(channel, tone(hertz))) < at_most


@pytest.mark.parametrize(("channel", "hertz"), [(TELEPHONE, 300), (TELEPHONE, 3_400), (NARROW, 3_900)])
def test_the_edges_are_3_db_down(channel: Channel, hertz: float) -> None:
    assert level_db(heard_by(channel, tone(hertz))) == pytest.approx(-3.0, abs=0.1)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("count", [0, 1, 65_535, 65_536, 65_537])
def test_a_recording_of_any_length_keeps_it(channel: Channel, count: int) -> None:
    assert heard_by(channel, tone(1_000, count)).shape == (count,)


def test_the_wide_band_is_everything() -> None:
    samples = tone(100) + tone(7_500)
    assert heard_by(Channel.WIDE, samples) is samples
