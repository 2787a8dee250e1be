"""What the voice activity network is held against Silero's own on: synthetic speech, noise, silence, every odd length.

All are so loud that ``VoiceActivity`` leaves them as they are. The sentences are those of ``samples/``; no voice is in
them either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from tests.unit.inference.golden.signals import voice

SAMPLES: Final = Path(__file__).resolve().parents[4] / "samples"
RATE: Final = 16_000
FRAME: Final = 512
BLOCK: Final = 512 * FRAME
"""``VoiceActivity`` runs the network on so many samples at once."""
LENGTHS: Final = (1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME, 4 * FRAME + 1)
AROUND_BLOCKS: Final = (BLOCK - FRAME, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + FRAME, 2 * BLOCK, 2 * BLOCK + 1)

Signal = npt.NDArray[np.float32]


def signals() -> dict[str, Signal]:
    random = np.random.default_rng(1)
    minute = sentences(60.0)
    return {
        "sentences, 60 s": minute,
        "sentences in noise, 20 s": minute[: 20 * RATE] + np.float32(0.03) * white(random, 20.0),
        "formants, 6 s": voice(6.0),
        "white noise, 5 s": np.float32(0.1) * white(random, 5.0),
        "clicks, 5 s": np.asarray(random.random(5 * RATE) < 0.004, np.float32),
        "silence, 5 s": np.zeros(5 * RATE, np.float32),
    } | {f"{length} samples": minute[RATE // 2 :][:length] for length in (*LENGTHS, *AROUND_BLOCKS)}


def sentences(seconds: float) -> Signal:
    """All samples, 0.4 s apart, again and again."""
    parts = []
    for path in sorted(SAMPLES.glob("*.wav")):
        spoken, _ = soundfile.read(path, dtype="float32")
        parts += [spoken, np.zeros(round(0.4 * RATE))]
    return np.resize(np.concatenate(parts).astype(np.float32), round(seconds * RATE))


def white(random: np.random.Generator, seconds: float) -> Signal:
    return random.standard_normal(round(seconds * RATE)).astype(np.float32)
