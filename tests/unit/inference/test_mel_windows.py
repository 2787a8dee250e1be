"""The front end, held against mel slices that Resemblyzer and librosa computed (``golden/make.py``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.inference.mel_windows import (
    HOP,
    MELS,
    WINDOW_FRAMES,
    mel_power,
    window_starts,
    windows,
)
from tests.unit.inference.golden.signals import FRAME_STEP, SECONDS, voice

REFERENCE = np.load(Path(__file__).parent / "golden" / "reference.npz")


@pytest.mark.parametrize("name", SECONDS)
def test_mel_power_is_that_of_resemblyzer(name: str) -> None:
    ours = mel_power(voice(SECONDS[name]))[::FRAME_STEP]
    np.testing.assert_allclose(ours, REFERENCE[f"mel {name}"], rtol=2e-5, atol=1e-7)


def test_there_is_a_frame_every_ten_milliseconds_with_both_ends_covered() -> None:
    assert mel_power(voice(1.0)).shape == (1 + 16_000 // HOP, MELS)


def test_blocks_do_not_show_in_the_result() -> None:
    whole = voice(2.0)
    tail = mel_power(whole[HOP * 7 :])
    np.testing.assert_allclose(mel_power(whole)[10:], tail[3:], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [
        (0.1, [0]),  # shorter than a window: one all the same
        (1.6, [0]),
        (2.0, [0, 77]),  # the second is 77 % covered
        (1.9, [0]),  # it would be 71 % covered
        (4.0, [0, 77, 154, 231]),
    ],
)
def test_windows_overlap_by_half_and_a_mostly_empty_last_one_is_dropped(seconds: float, starts: list[int]) -> None:
    assert window_starts(round(seconds * 16_000)) == starts


def test_windows_are_slices_of_one_spectrogram() -> None:
    speech = voice(4.0)
    mels = windows(speech)
    assert mels.shape == (4, WINDOW_FRAMES, MELS)
    assert mels.dtype == np.float32
    np.testing.assert_array_equal(mels[0, 77:], mels[1, : WINDOW_FRAMES - 77])


def test_a_short_utterance_is_repeated_to_fill_the_window() -> None:
    (window,) = windows(voice(0.5))
    np.testing.assert_allclose(window[5:45], window[55:95], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(window[5:45], window[105:145], rtol=1e-3, atol=1e-6)


def test_a_last_window_that_reaches_past_the_end_goes_on_from_the_beginning() -> None:
    mels = windows(voice(2.0))  # frames 77 to 236; the speech ends at 200
    np.testing.assert_allclose(mels[1, 126:159], mels[0, 3:36], rtol=1e-3, atol=1e-6)


def test_digital_silence_stays_finite() -> None:
    assert np.isfinite(windows(np.zeros(16_000, np.float32))).all()
