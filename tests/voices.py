"""Synthetic speech for tests that need nothing but the project: flite and espeak-ng, both from Debian.

The phrase recogniser understands flite's four voices (40 of 40 passphrases). espeak-ng has many voices, but only a
third of their passphrases are understood. A test whose voice is not installed skips with the name of the package.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

RATE = 16_000

Samples = NDArray[np.float32]


def flite(text: str, voice: str = "slt", pace: float = 1.0) -> Samples:
    """`text` as 16 kHz mono float32 samples; voices: kal, kal16, awb, rms, slt; a `pace` of 1.1 is a tenth faster."""
    return _flite(text, voice, pace).copy()


def espeak(text: str, voice: str = "en-us", pitch: int = 50, words_per_minute: int = 160) -> Samples:
    """`text` as 16 kHz mono float32 samples; a voice may carry a variant (`en-us+f3`), which makes another speaker."""
    return _espeak(text, voice, pitch, words_per_minute).copy()


def wav_bytes(samples: Samples, rate: int = RATE) -> bytes:
    """A mono 16-bit PCM WAV file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


@cache
def _flite(text: str, voice: str, pace: float) -> Samples:
    stretch = f"duration_stretch={1 / pace:.3f}"
    command = [_program("flite", package="flite"), "-voice", voice, "--setf", stretch]
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "said.wav"
        subprocess.run([*command, "-t", text, "-o", str(wav)], check=True, capture_output=True)
        return _resampled(wav.read_bytes())


@cache
def _espeak(text: str, voice: str, pitch: int, words_per_minute: int) -> Samples:
    program = _program("espeak-ng", package="espeak-ng")
    command = [program, "-v", voice, "-p", str(pitch), "-s", str(words_per_minute), "--stdout", text]
    return _resampled(subprocess.run(command, check=True, capture_output=True).stdout)


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs the Debian package {package}")
    return found


def _resampled(wav: bytes) -> Samples:
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    resampled: Samples = soxr.resample(samples, rate, RATE, quality="HQ").astype(np.float32)
    return resampled
