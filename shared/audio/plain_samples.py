"""Samples as they stand in files, to floats whose full scale is 1: bit for bit what libsndfile makes of them.

PCM is divided by its full scale. mu-law and A-law are tables: ITU-T G.711.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import AudioFormat


class Encoding(StrEnum):
    """libsndfile's names, which messages show."""

    PCM_U8 = "PCM_U8"
    PCM_16 = "PCM_16"
    PCM_24 = "PCM_24"
    PCM_32 = "PCM_32"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    ULAW = "ULAW"
    ALAW = "ALAW"

    @property
    def width(self) -> int:
        """Bytes that a sample takes."""
        return _WIDTHS[self]


_WIDTHS: Final = {
    Encoding.PCM_U8: 1,
    Encoding.PCM_16: 2,
    Encoding.PCM_24: 3,
    Encoding.PCM_32: 4,
    Encoding.FLOAT: 4,
    Encoding.DOUBLE: 8,
    Encoding.ULAW: 1,
    Encoding.ALAW: 1,
}


def _ulaw_table() -> npt.NDArray[np.float32]:
    """G.711: eight segments of sixteen steps, all bits inverted; 14 bits, which take the upper part of 16."""
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
    return (np.where(code & 0x80, -magnitude, magnitude) / 32_768).astype(np.float32)


def _alaw_table() -> npt.NDArray[np.float32]:
    """G.711: seven segments of sixteen steps, the first twice as long, even bits inverted; 13 bits of 16."""
    code = np.arange(256) ^ 0x55
    segment, step = code >> 4 & 7, code & 0x0F
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) / 32_768).astype(np.float32)


_TABLES: Final = {Encoding.ULAW: _ulaw_table(), Encoding.ALAW: _alaw_table()}


@dataclass(frozen=True)
class PlainSamples:
    """A recording whose every sample stands by itself, channel after channel, frame after frame: a ``reader.Sound``.

    ``raw`` is cut to whole frames.
    """

    format: AudioFormat
    encoding: Encoding
    raw: memoryview = field(repr=False)
    big_endian: bool = False

    @property
    def frames(self) -> int:
        return len(self.raw) // (self.encoding.width * self.format.channels)

    def blocks(self, frames: int) -> Iterator[npt.NDArray[np.float32]]:
        """All of it in blocks of at most ``frames``, shape [frames, channels]."""
        step = frames * self.encoding.width * self.format.channels
        whole = self.frames * self.encoding.width * self.format.channels
        for start in range(0, whole, step):
            values = floats(self.raw[start : min(start + step, whole)], self.encoding, big_endian=self.big_endian)
            yield values.reshape(-1, self.format.channels)


def floats(raw: memoryview, encoding: Encoding, *, big_endian: bool = False) -> npt.NDArray[np.float32]:
    """Whole samples to floats of their own memory, shape [n]."""
    order = ">" if big_endian else "<"
    if encoding in _TABLES:
        return _TABLES[encoding][np.frombuffer(raw, np.uint8)]
    if encoding is Encoding.PCM_24:
        return _scaled(_widened(raw, big_endian=big_endian), 31)
    if encoding in (Encoding.FLOAT, Encoding.DOUBLE):
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number is found by the reader
            return np.frombuffer(raw, f"{order}f{encoding.width}").astype(np.float32)
    if encoding is Encoding.PCM_U8:
        return _scaled(np.frombuffer(raw, np.uint8).astype(np.int16) - 128, 7)
    return _scaled(np.frombuffer(raw, f"{order}i{encoding.width}"), 8 * encoding.width - 1)


def _widened(raw: memoryview, *, big_endian: bool) -> npt.NDArray[np.int32]:
    """24 bits as the upper ones of 32."""
    bytes_of = np.frombuffer(raw, np.uint8).reshape(-1, 3)
    wide = np.zeros((len(bytes_of), 4), np.uint8)
    wide[:, 1:] = bytes_of[:, ::-1] if big_endian else bytes_of
    return wide.view("<i4")[:, 0]


def _scaled(values: npt.NDArray[np.signedinteger], bits: int) -> npt.NDArray[np.float32]:
    scaled = values.astype(np.float32)
    scaled *= np.float32(2.0**-bits)
    return scaled
