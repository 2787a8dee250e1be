"""What the bench says and to whom: synthesised speech of known length.

flite where it is installed (Debian package ``flite``), so that the figures can be had again anywhere; else the
repository's own samples, cut and repeated.
"""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from tests.speech.make import RATE, synthesise
from tests.voices import Samples, wav_bytes

LENGTHS = (2, 4, 10)
"""Seconds of audio."""
CANDIDATES = 10
"""Contract (v1.0): profiles in one identify."""
_PHRASE = "my name is unknown to you"
_TEXT = (
    "the boat was late again that morning and nobody on the pier knew why so we sat down on our bags and "
    "watched the gulls until the sun came over the roofs and the baker opened his shop for the day"
)
_ASKED = "slt"
_OTHERS = ("awb", "rms", "kal16")
_SAMPLES = Path(__file__).resolve().parents[2] / "samples"
_NOISE = 10.0 ** (-65.0 / 20.0)
"""RMS of the quiet room around a phrase."""


@dataclass(frozen=True)
class Material:
    """WAV files, 16 kHz 16-bit mono. A dictionary's key is the length in seconds.

    ``phrase_enrollments`` and ``phrases`` are one speaker's; ``speakers`` enrol for identification, and ``speech`` is
    the first of them, whose voice no other has: at another pace it would be the same person's.
    """

    source: str
    phrase_enrollments: list[bytes] = field(repr=False)
    phrases: dict[int, bytes] = field(repr=False)
    speakers: list[bytes] = field(repr=False)
    speech: dict[int, bytes] = field(repr=False)


def material() -> Material:
    return _synthesised() if shutil.which("flite") else _from_samples()


def _synthesised() -> Material:
    said = [_spoken(_PHRASE, _ASKED, pace) for pace in (1.0, 1.03, 0.98)]
    voices = [(_ASKED, 1.0), *((voice, pace) for pace in (1.0, 1.12, 0.9) for voice in _OTHERS)]
    read = [_spoken(_TEXT, voice, pace) for voice, pace in voices[:CANDIDATES]]
    return Material(
        source="synthesised speech (flite)",
        phrase_enrollments=[wav_bytes(one) for one in said],
        phrases={seconds: wav_bytes(_in_quiet(said[0], seconds)) for seconds in LENGTHS},
        speakers=[wav_bytes(_length(one, 10)) for one in read],
        speech={seconds: wav_bytes(_length(read[0], seconds)) for seconds in LENGTHS},
    )


def _spoken(text: str, voice: str, pace: float) -> Samples:
    return np.asarray(synthesise(text, voice, pace) / np.float32(32_768), np.float32)


def _from_samples() -> Material:
    takes = [_read(f"passphrase-{number}.wav") for number in (1, 2, 3, 4)]
    other = _read("other-speaker.wav")
    speakers = [takes[0], *(np.roll(other, shift * RATE // 2) for shift in range(CANDIDATES - 1))]
    return Material(
        source="samples/*.wav, cut and repeated (flite is not installed)",
        phrase_enrollments=[wav_bytes(one) for one in takes[:3]],
        phrases={seconds: wav_bytes(_in_quiet(takes[3], seconds)) for seconds in LENGTHS if seconds >= 4},
        speakers=[wav_bytes(_length(one, 10)) for one in speakers],
        speech={seconds: wav_bytes(_length(takes[0], seconds)) for seconds in LENGTHS},
    )


def _read(name: str) -> Samples:
    samples, rate = soundfile.read(io.BytesIO((_SAMPLES / name).read_bytes()), dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


def _length(samples: Samples, seconds: int) -> Samples:
    return np.resize(samples, seconds * RATE)


def _in_quiet(phrase: Samples, seconds: int) -> Samples:
    """The phrase in the middle of a quiet recording of that length: no passphrase lasts ten seconds."""
    room = np.random.default_rng(1).normal(0.0, _NOISE, seconds * RATE).astype(np.float32)
    start = (len(room) - len(phrase)) // 2
    assert start >= 0, f"the phrase is longer than {seconds} s"
    room[start : start + len(phrase)] += phrase
    return room
