"""RIFF WAVE as recorders really write it.

Browser recorders leave sizes at 0 or 0xFFFFFFFF, promise more than they sent, forget pad bytes, or use
WAVE_FORMAT_EXTENSIBLE; long recordings come as RF64 or BW64. So the chunks are walked here, and what a header promises
counts only as far as the body holds it. Where a codec is none of plain
samples, a plain header is put in front of the data that is there.

What it buys: of 16 such forms libsndfile refuses 6 and takes one for empty; it refuses all BW64 and MP3 in WAV, and
hangs at an RF64 of 172 bytes. What it costs: 145 lines. Chunk layout: Microsoft, "Multimedia Programming Interface and
Data Specifications 1.0"; RF64: EBU Tech 3306; BW64: ITU-R BS.2088.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from shared.audio.formats import not_decoded
from shared.audio.plain_samples import FLOAT_BY_BITS, PCM_BY_BITS, PlainSamples
from shared.domain.errors import AudioUnreadable
from shared.domain.recording import AudioFormat

_PCM, _FLOAT, _ALAW, _ULAW, _MP3, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0x0055, 0xFFFE
_ENCODINGS: Final = {_PCM: PCM_BY_BITS, _FLOAT: FLOAT_BY_BITS}
_EIGHT_BITS: Final = {_ALAW: "ALAW", _ULAW: "ULAW"}
"""One byte a sample whatever the header says: many write 16, the bits that it unpacks to."""
_BLOCKWISE: Final = frozenset({0x0002, 0x0011, 0x0031})
"""Microsoft ADPCM, IMA ADPCM, GSM 6.10: their format chunk is passed on as it is."""
_NAMES: Final = {
    0x0010: "OKI ADPCM", 0x0014: "G.723 ADPCM", 0x0022: "TrueSpeech", 0x0040: "G.721", 0x0041: "G.728",
    0x0042: "G.723.1", 0x0045: "G.726", 0x0050: "MPEG layer II", 0x0057: "AMR-NB", 0x0058: "AMR-WB", 0x0064: "G.726",
    0x0065: "G.722", 0x0083: "G.729", 0x00FF: "AAC", 0x0130: "ACELP.net", 0x0160: "WMA", 0x0161: "WMA",
    0x0162: "WMA Pro", 0x028F: "G.722", 0x0270: "ATRAC3", 0x1610: "AAC", 0x2000: "AC-3", 0x566F: "Vorbis",
    0x674F: "Vorbis", 0x6750: "Vorbis", 0x674A: "Vorbis", 0x704F: "Opus", 0xA106: "AAC", 0xA109: "Speex",
    0xF1AC: "FLAC",
}  # fmt: skip
"""Registered codecs (RFC 2361 and Microsoft's mmreg.h) that are refused by name."""
_OTHER_CHUNKS: Final = frozenset(
    {b"LIST", b"fact", b"cue ", b"JUNK", b"junk", b"bext", b"id3 ", b"ID3 ", b"smpl", b"iXML", b"PEAK", b"minf",
     b"inst", b"axml", b"chna", b"PAD ", b"FLLR"}
)  # fmt: skip
_CHUNKS: Final = _OTHER_CHUNKS | {b"data", b"fmt ", b"ds64"}
_NAME: Final = re.compile(rb"[ -~]{4}")
_MOST_CHUNKS: Final = 1_000
"""Recorders write a handful. The bound keeps a body of nothing but empty chunks from costing seconds."""
_LONGEST_LAYOUT: Final = 1 << 16
"""Bytes of a format chunk that are looked at: Microsoft ADPCM's tables are the longest in use, under 100."""
_IN_DS64: Final = 0xFFFFFFFF  # RF64's mark in place of a size that stands in the ds64 chunk, in 64 bits


def opened(body: bytes, container: str) -> PlainSamples | bytes:
    """The samples, or where they are coded a file that libsndfile reads: the recording behind a plain header, or bare
    MP3 frames. ``container`` is for messages.

    Raises ``AudioUnreadable`` (no format or data chunk, or a format chunk that makes no sense), and
    ``AudioFormatUnsupported`` (a codec that is not decoded here).
    """
    layout, start, end, order = _located(body, len(body))
    return _opened(layout, memoryview(body)[start:end], order, container)


def located(head: bytes, size: int, container: str) -> tuple[AudioFormat, int, int, bool]:
    """For a file of which only the beginning is here: format, where the samples start and end, whether big-endian.

    Raises what ``opened`` does, and ``AudioFormatUnsupported`` where the samples are coded in blocks.
    """
    layout, start, end, order = _located(head, size)
    opened = _opened(layout, memoryview(b""), order, container)
    if not isinstance(opened, PlainSamples):
        raise not_decoded(f"{container} with coded samples", "wav", "WAV with PCM, float, A-law or mu-law")
    return opened.format, start, end, order == ">"


def _located(body: bytes, size: int) -> tuple[bytes, int, int, str]:
    """The format chunk, where the samples start and end in a file of that size, and the byte order."""
    order = ">" if body.startswith(b"RIFX") else "<"
    layout: bytes | None = None
    long_data: int | None = None
    for name, start, promised in _chunks(body, order):
        if name == b"fmt " and layout is None:
            layout = body[start : start + min(promised, _LONGEST_LAYOUT)]
        elif name == b"ds64" and len(body) >= start + 16:
            (long_data,) = struct.unpack_from("<Q", body, start + 8)
        elif name == b"data":
            if layout is None:
                raise AudioUnreadable("The WAV header has no format chunk before its data.")
            if promised == _IN_DS64 and long_data is not None:
                promised = long_data
            return layout, start, _data_end(body, size, start, promised, order), order
    raise AudioUnreadable("The WAV file has no data chunk.")


def _chunks(body: bytes, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Names, starts, and the bytes that their headers promise; the body may hold fewer."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(body):
            return
        name, promised = struct.unpack_from(f"{order}4sI", body, at)
        yield name, at + 8, promised
        at += 8 + promised
        if promised % 2 and _is_padded(body, at):
            at += 1


def _is_padded(body: bytes, at: int) -> bool:
    """Chunks are padded to even lengths, but some writers forget to: a name tells, else the pad byte, which is 0."""
    if body[at + 1 : at + 5] in _CHUNKS:
        return True
    unpadded = body[at : at + 4]
    return unpadded not in _CHUNKS and not _NAME.fullmatch(unpadded)


def _data_end(body: bytes, size: int, start: int, promised: int, order: str) -> int:
    """Where the samples end: as promised, or with the file if the promise is too long or was never filled in.

    A size of 0 is meant, and the recording is empty, where another known chunk follows.
    """
    if promised == 0:
        other = body[start : start + 4] in _OTHER_CHUNKS and len(body) >= start + 8
        if not other or start + 8 + struct.unpack_from(f"{order}I", body, start + 4)[0] > len(body):
            return size
    return min(start + promised, size)


def _opened(layout: bytes, samples: memoryview, order: str, container: str) -> PlainSamples | bytes:
    if len(layout) < 14:
        raise AudioUnreadable("The WAV header has a format chunk that is too short.")
    # The oldest layout has 14 bytes and leaves the bits to be told from the frame's.
    tag, channels, rate, _, align, bits = struct.unpack_from(f"{order}HHIIHH", layout.ljust(16, b"\0"))
    if tag == _EXTENSIBLE and len(layout) >= 26:
        (tag,) = struct.unpack_from(f"{order}H", layout, 24)  # the sub-format GUID begins with the codec
    if channels == 0 or rate == 0:
        raise AudioUnreadable(f"The WAV header promises {channels} channels at {rate} Hz.")
    if tag == _MP3:
        return bytes(samples)
    if tag in _BLOCKWISE:
        return _file(layout, samples, order)
    encoding = _EIGHT_BITS.get(tag) or _encoding(tag, channels, align, bits, container)
    return PlainSamples(AudioFormat(container, encoding, rate, channels), samples, big_endian=order == ">")


def _encoding(tag: int, channels: int, align: int, bits: int, container: str) -> str:
    """By the bits that a sample takes: 12 valid bits stand left-aligned in 16, 24 may stand in 32."""
    if tag not in _ENCODINGS:
        codec = f"{_NAMES[tag]} (codec 0x{tag:04X})" if tag in _NAMES else f"codec 0x{tag:04X}"
        supported = "WAV with PCM, float, A-law, mu-law, ADPCM or GSM"
        raise not_decoded(f"{container} with {codec}", "wav", supported)
    for width in (align * 8 // channels, (bits + 7) // 8 * 8):
        if width in _ENCODINGS[tag] and width >= bits:
            return _ENCODINGS[tag][width]
    raise AudioUnreadable(f"The WAV header promises samples of {bits} bits in frames of {align} bytes.")


def _file(layout: bytes, samples: memoryview, order: str) -> bytes:
    layout += b"\0" * (len(layout) % 2)
    padding = len(samples) % 2
    size = 4 + 8 + len(layout) + 8 + len(samples) + padding
    header = struct.pack(f"{order}4sI4s4sI", b"RIFF" if order == "<" else b"RIFX", size, b"WAVE", b"fmt ", len(layout))
    return b"".join((header, layout, struct.pack(f"{order}4sI", b"data", len(samples)), samples, b"\0" * padding))
