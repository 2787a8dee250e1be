"""Landmarks find the same audio again: louder, softer, cut, through codecs; and no other take."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
import soxr

from shared.audio.landmarks import SpectralLandmarks
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.domain.replay import Landmarks, Print
from tests.voices import HOUSTON, PASSPORT, flite
from tools.evaluation import degradations

FINDER = SpectralLandmarks()
RANDOM = np.random.default_rng(1)
TAKE = flite(PASSPORT)


def print_of(found: Landmarks) -> Print:
    return Print(found.values, found.times)


def found_again(sent: Samples, kept: Samples = TAKE) -> bool:
    return any(print_of(found).repeats(print_of(FINDER.find(kept))) for found in FINDER.aligned(sent))


def through(change: degradations.Change, samples: Samples = TAKE) -> Samples:
    samples, rate = soundfile.read(io.BytesIO(change(samples, RANDOM)), dtype="float32")
    return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE), np.float32)


@pytest.mark.parametrize("decibels", [-20, 20])
def test_louder_and_softer(decibels: int) -> None:
    """In 16 bits; at +20 dB it is overdriven."""
    louder = np.clip(np.rint(TAKE * 10 ** (decibels / 20) * 32_767), -32_768, 32_767) / 32_768
    assert found_again(louder.astype(np.float32))


@pytest.mark.parametrize("part", [slice(None, len(TAKE) // 2), slice(len(TAKE) // 2 + 101, None)])
def test_half_cut_away(part: slice) -> None:
    assert found_again(TAKE[part])
    assert found_again(through(degradations.gsm, TAKE[part]))


@pytest.mark.parametrize("change", [degradations.opus, degradations.gsm, degradations.a_law, degradations.mp3])
def test_through_a_codec(change: degradations.Change) -> None:
    assert found_again(through(change))


@pytest.mark.parametrize("other", [flite(HOUSTON), flite(PASSPORT, "awb"), flite(PASSPORT, "rms")])
def test_other_words_and_another_voice_are_no_replay(other: Samples) -> None:
    assert not found_again(other)


@pytest.mark.parametrize("make", [np.zeros, np.ones, lambda count: np.sin(np.arange(count) / 9.0)])
def test_what_is_no_speech_has_few_landmarks_and_breaks_nothing(make: Callable[[int], Samples]) -> None:
    for count in (0, 1, 500, 16_000):
        FINDER.aligned(np.asarray(make(count), np.float32))


def test_a_long_recording_has_no_more_than_a_print_may_hold() -> None:
    long = np.tile(TAKE, 20) + RANDOM.normal(0, 0.01, 20 * len(TAKE)).astype(np.float32)
    found = FINDER.find(long)
    assert 200 < len(found.values) <= 800
