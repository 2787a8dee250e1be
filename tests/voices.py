"""Synthetic speech for tests: takes by flite's voices, a German one of Pico's and a Chinese one of espeak-ng's, kept in
``tests/speech`` (its README says how they are made).

A synthetic voice repeats itself exactly; a person does not. So the takes of a sentence differ in pace.
"""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.speech.make import RATE, path_of

PASSPORT = "my voice is my passport verify me"
HOUSTON = "houston we have had a problem"
OUTSIDE = "the quick brown fox jumps over the lazy dog"
"""A sentence that is none of the ten phrases."""

STORY = (
    "The north wind and the sun were disputing which was the stronger, when a traveler came along wrapped in a "
    "warm cloak. They agreed that the one who first made the traveler take off his cloak should be considered "
    "stronger than the other."
)
QUESTION = "Please tell me which train goes to the harbour this evening, and whether I should buy a ticket first."
GREETING = "Good morning, this is the ticket office, how may I help you on your way today?"

GERMAN = "im garten meiner tante wachsen gelbe rosen"
OTHER_GERMAN = "der letzte bus nach hamburg ist schon weg"
CHINESE = "wo3 jia1 men2 qian2 you3 yi4 ke1 da4 shu4"
OTHER_CHINESE = "jin1 tian1 wan3 shang4 wo3 men5 chi1 mian4 tiao2"
"""As Pico and espeak-ng say them (``pico.de``, ``espeak.zh``)."""

Samples = NDArray[np.float32]


def flite(text: str, voice: str = "slt", pace: float = 1.0) -> Samples:
    """`text` as 16 kHz mono float32 samples; a `pace` of 1.1 is a tenth faster. Voices: awb, kal16, rms, slt; pico.de,
    espeak.zh.

    Raises:
        FileNotFoundError: No such take is kept; the message says how to add it.
    """
    return _take(text, voice, pace).copy()


def recording(text: str, voice: str = "slt", pace: float = 1.0) -> bytes:
    """A take as a WAV file, 16 kHz 16-bit mono."""
    return wav_bytes(flite(text, voice, pace))


def joined(words: str, gap_seconds: float = 0.12) -> Samples:
    """Kept takes of single words with these gaps between them."""
    gap, around = np.zeros(round(gap_seconds * RATE), np.float32), np.zeros(RATE // 5, np.float32)
    parts = [part for word in words.split() for part in (flite(word), gap)]
    return np.concatenate([around, *parts, around])


def lower(samples: Samples, times: float = 0.8) -> Samples:
    """Another, deeper voice: played more slowly."""
    at = np.arange(int(len(samples) / times)) * times
    return np.asarray(np.interp(at, np.arange(len(samples)), samples), np.float32)


def takes(text: str, voice: str = "slt", count: int = 3) -> list[bytes]:
    """WAV files of the same sentence by one voice, each at a pace of its own, none at pace 1."""
    return [recording(text, voice, 0.94 + 0.05 * number) for number in range(count)]


def wav_bytes(samples: Samples, rate: int = RATE) -> bytes:
    """A mono 16-bit PCM WAV file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


@cache
def _take(text: str, voice: str, pace: float) -> Samples:
    path = path_of(text, voice, pace)
    if not path.is_file():
        command = f'python -m tests.speech.make "{text}" {voice} {pace:.2f}'
        raise FileNotFoundError(f"No such take is kept. With the program flite installed, add it: {command}")
    samples, _ = soundfile.read(path, dtype="float32")
    return np.asarray(samples, np.float32)
