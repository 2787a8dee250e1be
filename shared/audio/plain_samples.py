"""Samples as they stand in files, each by itself, by libsndfile's conversions alone: no header of it is parsed.

So nearly all traffic needs no other process: 4 s of 16 kHz WAV take 0.5 ms instead of 0.9, and no first request waits
0.3 s for a decoder. What it costs: 55 lines.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from shared.domain.recording import AudioFormat

WIDTHS: Final = {
    "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1
}  # fmt: skip
"""Bytes that a sample takes, by libsndfile's names of encodings, which messages show."""
PCM_BY_BITS: Final = {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24", 32: "PCM_32"}
FLOAT_BY_BITS: Final = {32: "FLOAT", 64: "DOUBLE"}


@dataclass(frozen=True)
class PlainSamples:
    """A ``reader.Sound``; bytes behind the last whole frame are left out."""

    format: AudioFormat
    raw: memoryview = field(repr=False)
    big_endian: bool = False

    @property
    def _frame_bytes(self) -> int:
        return WIDTHS[self.format.encoding] * self.format.channels

    @property
    def frames(self) -> int:
        return len(self.raw) // self._frame_bytes

    def blocks(self, frames: int) -> Iterator[npt.NDArray[np.float32]]:
        layout = {
            "format": "RAW", "subtype": self.format.encoding, "endian": "BIG" if self.big_endian else "LITTLE",
            "samplerate": self.format.sample_rate, "channels": self.format.channels,
        }  # fmt: skip
        size = self._frame_bytes
        for start in range(0, self.frames * size, frames * size):
            raw = self.raw[start : min(start + frames * size, self.frames * size)]
            yield soundfile.read(io.BytesIO(raw), dtype="float32", always_2d=True, **layout)[0]
