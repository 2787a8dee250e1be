"""The front end, held against mel slices that Resemblyzer and librosa computed (``golden/make.py``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.inference.mel_windows import HOP, MELS, WINDOW_FRAMES, mel_power, window_starts, windows
from tests.unit.inference.golden.signals import FRAME_STEP, SECONDS, voice

REFERENCE = np.load(Path(__file__).parent / "golden" / "reference.npz")


@pytest.mark.parametrize("name", SECONDS)
def test_mel_power_is_that_of_resemblyzer(name: str) -> None:
    ours = mel_power(voice(SECONDS[name]))[::FRAME_STEP]
    np.testing.assert_allclose(ours, REFERENCE[f"mel {name}"], rtol=2e-5, atol=1e-7)


def test_there_is_a_frame_every_ten_milliseconds_and_blocks_do_not_show() -> None:
    whole = voice(2.0)
    frames, tail = mel_power(whole), mel_power(whole[HOP * 7 :])
    assert frames.shape == (1 + 32_000 // HOP, MELS)
    np.testing.assert_allclose(frames[10:], tail[3:], rtol=1e-4, atol=1e-8)


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
    mels = windows(voice(4.0))
    assert mels.shape == (4, WINDOW_FRAMES, MELS)
    assert mels.dtype == np.float32
    np.testing.assert_array_equal(mels[0, 77:], mels[1, : WINDOW_FRAMES - 77])
    assert np.isfinite(windows(np.zeros(16_000, np.float32))).all()


def test_short_speech_and_the_last_window_go_on_from_the_beginning() -> None:
    (window,) = windows(voice(0.5))
    np.testing.assert_allclose(window[5:45], window[55:95], rtol=1e-3, atol=1e-6)
    mels = windows(voice(2.0))  # the second has frames 77 to 236; the speech ends at 200
    np.testing.assert_allclose(mels[1, 126:159], mels[0, 3:36], rtol=1e-3, atol=1e-6)
