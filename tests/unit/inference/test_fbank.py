"""Kaldi's features, held against the kaldi-native-fbank package's numbers (``golden/make.py``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.inference.fbank import FRAME, HOP, LEAST_FRAMES, fbank, segments
from shared.inference.model_card import FbankRules
from tests.unit.inference.golden.signals import FRAME_STEP, voice

REFERENCE = np.load(Path(__file__).parent / "golden" / "fbank.npz")
HAMMING, POVEY = FbankRules("hamming", 32768.0), FbankRules("povey", 1.0)


@pytest.mark.parametrize(("rules", "name"), [(HAMMING, "hamming 32768"), (POVEY, "povey 1")])
def test_log_energies_are_those_of_kaldi(rules: FbankRules, name: str) -> None:
    np.testing.assert_allclose(fbank(voice(4.0), rules)[::FRAME_STEP], REFERENCE[name], atol=1e-3)


def test_the_windows_differ() -> None:
    one = fbank(voice(1.0), FbankRules("hamming", 1.0))
    assert float(np.abs(one - fbank(voice(1.0), POVEY)).max()) > 0.1


@pytest.mark.parametrize(("samples", "frames"), [(FRAME, 1), (FRAME + HOP - 1, 1), (FRAME + HOP, 2)])
def test_frames_lie_wholly_inside_the_recording(samples: int, frames: int) -> None:
    assert fbank(np.zeros(samples, np.float32), POVEY).shape == (frames, 80)


def test_each_bands_mean_over_the_whole_speech_is_taken_off() -> None:
    features = np.concatenate(segments(np.resize(voice(4.0), 21 * 16_000), HAMMING))
    np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=1e-3)


def test_blocks_do_not_show_in_the_result() -> None:
    whole = voice(2.0)
    np.testing.assert_allclose(fbank(whole, HAMMING)[7:], fbank(whole[7 * HOP :], HAMMING), atol=2e-3)


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [
        (0.1, [LEAST_FRAMES]),  # repeated to fill a second
        (4.0, [398]),
        (20.0, [1998]),
        (21.0, [1049, 1049]),  # two equal stretches rather than 20 s and 1 s
    ],
)
def test_short_speech_is_repeated_and_long_speech_is_cut_evenly(seconds: float, frames: list[int]) -> None:
    stretches = segments(np.resize(voice(4.0), round(seconds * 16_000)), HAMMING)
    assert [len(stretch) for stretch in stretches] == frames
    assert all(stretch.dtype == np.float32 for stretch in stretches)


def test_speech_is_brought_to_the_level_that_the_rules_fix() -> None:
    """Down to -70 dBFS, where without it the floor under the energies would show. Digital silence has no level."""
    rules = FbankRules("povey", 1.0, -20.0)
    (loud,), (quiet,) = segments(voice(2.0, level=0.3), rules), segments(voice(2.0, level=0.0003), rules)
    np.testing.assert_allclose(quiet, loud, atol=1e-3)
    (unlevelled,), (faint,) = segments(voice(2.0, level=0.3), POVEY), segments(voice(2.0, level=0.0003), POVEY)
    assert float(np.abs(faint - unlevelled).max()) > 0.1
    assert all(np.isfinite(segments(np.zeros(16_000, np.float32), kind)[0]).all() for kind in (rules, POVEY))
