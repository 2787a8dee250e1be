"""RIFF WAVE headers as recorders really write them, put right.

Browser recorders leave sizes at 0 or 0xFFFFFFFF, promise more than they sent, forget pad bytes, or use
WAVE_FORMAT_EXTENSIBLE. libsndfile reads some of these as empty, so the chunks are walked here and a plain header is
put in front of the samples that are there. Chunk layout: Microsoft, "Multimedia Programming Interface and Data
Specifications 1.0".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable

PCM: Final = 0x0001
FLOAT: Final = 0x0003
MP3: Final = 0x0055
_EXTENSIBLE: Final = 0xFFFE
_SAMPLEWISE: Final = {PCM: (8, 16, 24, 32), FLOAT: (32, 64), 0x0006: (8,), 0x0007: (8,)}
"""Codecs of one value per sample and the widths in bits that occur: PCM, float, A-law, mu-law."""
_BLOCKWISE: Final = frozenset({0x0002, 0x0011, 0x0031})
"""Microsoft ADPCM, IMA ADPCM, GSM 6.10: their format chunk is passed on as it is."""
_OTHER_CHUNKS: Final = frozenset({b"LIST", b"fact", b"cue ", b"JUNK", b"junk", b"bext", b"id3 ", b"ID3 ", b"smpl"})


_MOST_CHUNKS: Final = 1_000
"""Recorders write a handful. The bound keeps a body of nothing but empty chunks from costing seconds."""


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    start: int
    promised: int
    """Bytes the chunk's header promises; the body may hold fewer."""


@dataclass(frozen=True)
class Wave:
    """A WAV file that libsndfile reads in full: ``tag`` is the codec, ``content`` the file, or the bare MP3 frames."""

    tag: int
    content: bytes


def mended(body: bytes) -> Wave:
    """The same recording with a plain, true header in front of it.

    Raises
    ------
    AudioUnreadable
        No format or data chunk, or a format chunk that makes no sense.
    AudioFormatUnsupported
        A codec that is not decoded here.
    """
    order = ">" if body.startswith(b"RIFX") else "<"
    layout: bytes | None = None
    for chunk in _chunks(body, order):
        if chunk.name == b"fmt " and layout is None:
            layout = body[chunk.start : chunk.start + chunk.promised]
        elif chunk.name == b"data":
            if layout is None:
                raise AudioUnreadable("The WAV header has no format chunk before its data.")
            return _rebuilt(layout, memoryview(body)[chunk.start : _data_end(body, chunk, order)], order)
    raise AudioUnreadable("The WAV file has no data chunk.")


def _chunks(body: bytes, order: str) -> Iterator[_Chunk]:
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(body):
            return
        name, promised = struct.unpack_from(f"{order}4sI", body, at)
        yield _Chunk(name, at + 8, promised)
        at += 8 + promised
        # Chunks are padded to even lengths, but some writers forget to.
        if promised % 2 and not (body[at : at + 4] in (b"data", b"fmt ") or body[at : at + 4] in _OTHER_CHUNKS):
            at += 1


def _data_end(body: bytes, chunk: _Chunk, order: str) -> int:
    """Where the samples end: as promised, or with the body if the promise is too long or was never filled in."""
    if chunk.promised:
        return min(chunk.start + chunk.promised, len(body))
    return chunk.start if _is_whole_chunk(body, chunk.start, order) else len(body)


def _is_whole_chunk(body: bytes, at: int, order: str) -> bool:
    """Whether a known chunk follows: then a data size of 0 is meant, and the recording is empty."""
    if len(body) < at + 8 or body[at : at + 4] not in _OTHER_CHUNKS:
        return False
    (promised,) = struct.unpack_from(f"{order}I", body, at + 4)
    return bool(at + 8 + promised <= len(body))


def _rebuilt(layout: bytes, samples: memoryview, order: str) -> Wave:
    if len(layout) < 16:
        raise AudioUnreadable("The WAV header has a format chunk that is too short.")
    tag, channels, rate, _, align, bits = struct.unpack_from(f"{order}HHIIHH", layout)
    if tag == _EXTENSIBLE and len(layout) >= 26:
        (tag,) = struct.unpack_from(f"{order}H", layout, 24)  # the sub-format GUID begins with the codec
    if channels == 0 or rate == 0:
        raise AudioUnreadable(f"The WAV header promises {channels} channels at {rate} Hz.")
    if tag == MP3:
        return Wave(tag, bytes(samples))
    if tag in _BLOCKWISE:
        return Wave(tag, _written(layout + b"\0" * (len(layout) % 2), samples, order))
    if tag not in _SAMPLEWISE:
        raise AudioFormatUnsupported(f"WAV with codec 0x{tag:04X}", "WAV with PCM, float, A-law, mu-law, ADPCM or GSM")
    width = _width(tag, channels, align, bits)
    frame = channels * width // 8
    if frame > 0xFFFF or rate * frame > 0xFFFFFFFF:
        raise AudioUnreadable(f"The WAV header promises {channels} channels at {rate} Hz.")
    plain = struct.pack(f"{order}HHIIHH", tag, channels, rate, rate * frame, frame, width)
    return Wave(tag, _written(plain, samples[: len(samples) - len(samples) % frame], order))


def _width(tag: int, channels: int, align: int, bits: int) -> int:
    """Bits that a sample takes: 12 valid bits stand left-aligned in 16, 24 may stand in 32."""
    taken = align * 8 // channels
    for width in (taken, (bits + 7) // 8 * 8):
        if width in _SAMPLEWISE[tag] and width >= bits:
            return width
    raise AudioUnreadable(f"The WAV header promises samples of {bits} bits in frames of {align} bytes.")


def _written(layout: bytes, samples: memoryview, order: str) -> bytes:
    padding = len(samples) % 2
    size = 4 + 8 + len(layout) + 8 + len(samples) + padding
    header = struct.pack(f"{order}4sI4s4sI", b"RIFF" if order == "<" else b"RIFX", size, b"WAVE", b"fmt ", len(layout))
    data = struct.pack(f"{order}4sI", b"data", len(samples))
    return b"".join((header, layout, data, samples, b"\0" * padding))
