"""Sentences spoken by flite, so that the API can be tried with nothing but the project.

A synthetic voice repeats itself exactly; a person does not. So takes differ in pace and pitch as a person's do.
"""

from __future__ import annotations

from tests.voices import flite, wav_bytes

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


def said(text: str, voice: str = "slt", pace: float = 1.0) -> bytes:
    """A WAV file, 16 kHz 16-bit mono; a ``pace`` of 1.1 is a tenth faster."""
    return wav_bytes(flite(text, voice, pace))


def takes(text: str, voice: str = "slt", count: int = 3) -> list[bytes]:
    """The same sentence several times by one voice, each at a pace of its own."""
    return [said(text, voice, 0.94 + 0.05 * number) for number in range(count)]
