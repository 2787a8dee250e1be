"""Signals with the spectrum of a voice, from formulas alone: the same everywhere, and nobody's voice."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

SECONDS: Final = {"one short window": 0.7, "one window": 1.6, "last window kept": 2.9, "last window dropped": 4.0}
"""The names say what the cutting into windows does at that length."""

FILLED_SAMPLES: Final = {
    "one short window": 160 * 160,
    "one window": 160 * 160,
    "last window kept": (154 + 160) * 160,
    "last window dropped": 64_000,
}
"""Where the last window of each ends, or the signal itself."""

FRAME_STEP: Final = 25
"""The reference keeps every 25th frame: enough to hold the front end, and a small file."""


@cache
def voice(seconds: float, pitch_hertz: float = 120.0, level: float = 0.05) -> npt.NDArray[np.float32]:
    """Harmonics of a gliding pitch under two moving formants and a syllable rhythm, at 16 kHz, shape [n]."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    cycles = pitch_hertz * (time - 0.02 * np.cos(2 * np.pi * 1.3 * time))
    first = 550 + 200 * np.sin(2 * np.pi * 2.1 * time)
    second = 1600 + 500 * np.sin(2 * np.pi * 1.7 * time + 1.0)
    signal = np.zeros(len(time))
    for harmonic in range(1, 40):
        hertz = harmonic * pitch_hertz
        gain = 1 / (1 + ((hertz - first) / 90) ** 2) + 0.5 / (1 + ((hertz - second) / 140) ** 2) + 0.003
        signal += gain * np.sin(2 * np.pi * harmonic * cycles)
    signal *= 0.55 + 0.45 * np.sin(2 * np.pi * 3.7 * time)
    scaled = np.asarray(signal * (level / np.sqrt(np.mean(signal**2))), np.float32)
    scaled.flags.writeable = False  # its callers share it
    return scaled
