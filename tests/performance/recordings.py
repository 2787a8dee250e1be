"""The speech that the bench sends: the repository's own samples, cut and repeated to known lengths."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from tests.speech.make import RATE
from tests.voices import Samples, wav_bytes

SECONDS = 4
"""Length of a recording where the bench sends one length only."""
CANDIDATES = 10
"""Contract (v1.0): profiles in one identify."""

_SAMPLES = Path(__file__).resolve().parents[2] / "samples"
_QUIET = 10.0 ** (-65.0 / 20.0)
"""RMS of the quiet room around a phrase."""


@dataclass(frozen=True)
class Material:
    """WAV files, 16 kHz 16-bit mono. A dictionary's key is the length in seconds.

    ``phrase_enrollments`` and ``phrases`` are a single speaker's; ``speakers`` enrol for identification, and ``speech``
    is the first of them, whose voice no other has.
    """

    phrase_enrollments: list[bytes] = field(repr=False)
    phrases: dict[int, bytes] = field(repr=False)
    speakers: list[bytes] = field(repr=False)
    speech: dict[int, bytes] = field(repr=False)


@cache
def material() -> Material:
    takes = [_read(f"passphrase-{number}.wav") for number in (1, 2, 3, 4)]
    other = _read("other-speaker.wav")
    speakers = [takes[0], *(np.roll(other, shift * RATE // 2) for shift in range(CANDIDATES - 1))]
    return Material(
        phrase_enrollments=[wav_bytes(take) for take in takes[:3]],
        phrases={seconds: wav_bytes(_in_quiet(takes[3], seconds)) for seconds in (4, 10)},
        speakers=[wav_bytes(_repeated(speaker, 10)) for speaker in speakers],
        speech={seconds: wav_bytes(_repeated(takes[0], seconds)) for seconds in (2, 4, 10)},
    )


def _read(name: str) -> Samples:
    samples, rate = soundfile.read(io.BytesIO((_SAMPLES / name).read_bytes()), dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


def _repeated(samples: Samples, seconds: int) -> Samples:
    """Without the pauses at both ends, so that most of the recording is speech."""
    (loud,) = np.nonzero(np.abs(samples) > 0.1 * np.abs(samples).max())
    return np.resize(samples[loud[0] : loud[-1]], seconds * RATE)


def _in_quiet(phrase: Samples, seconds: int) -> Samples:
    """The phrase in the middle of a quiet recording of that length: no passphrase lasts ten seconds."""
    room = np.random.default_rng(1).normal(0.0, _QUIET, seconds * RATE).astype(np.float32)
    start = (len(room) - len(phrase)) // 2
    room[start : start + len(phrase)] += phrase
    return room
