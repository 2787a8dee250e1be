"""Core Audio Format as phones write it: sizes never filled in, and Opus, which is put into Ogg for libsndfile.

Chunks, the packet table and its numbers: Apple, "Core Audio Format Specification 1.0".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.audio.advice import as_wav
from shared.audio.containers.ogg import OPUS_RATE, OpusPacket, fits_a_page, opus_head, opus_samples, opus_stream
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioUnreadable

_MOST_CHUNKS: Final = 1_000
_MOST_PACKETS: Final = 300_000
"""Five minutes of the shortest Opus packets (2.5 ms) are 120,000."""

_READ: Final = frozenset({b"lpcm", b"alac", b"ulaw", b"alaw", b"ima4"})
_NAMES: Final = {
    b"aac ": "AAC", b"aace": "AAC-ELD", b"aacf": "AAC-ELD", b"aach": "HE-AAC", b"aacl": "AAC-LD", b"aacp": "HE-AAC",
    b".mp3": "MP3", b".mp2": "MPEG layer II", b"ac-3": "AC-3", b"samr": "AMR-NB", b"sawb": "AMR-WB", b"ilbc": "iLBC",
    b"flac": "FLAC", b"QDM2": "QDesign", b"MAC3": "MACE 3:1", b"MAC6": "MACE 6:1",
}  # fmt: skip


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    header: int
    start: int
    end: int
    whole: bool
    """False where the header's size is -1, for unknown, or more than the body holds."""


def opened(body: bytes, max_seconds: float) -> bytes:
    """A file that libsndfile reads: the same with true sizes, or Opus as an Ogg file.

    Raises ``AudioUnreadable``, ``AudioFormatUnsupported``, and ``AudioTooLong`` as soon as the packets tell.
    """
    chunks: dict[bytes, _Chunk] = {}
    for chunk in _chunks(body):
        chunks.setdefault(chunk.name, chunk)
    layout, data = chunks.get(b"desc"), chunks.get(b"data")
    if layout is None or layout.end - layout.start < 32 or data is None:
        raise AudioUnreadable("The CAF file has no description or no data.")
    codec = body[layout.start + 8 : layout.start + 12]
    if codec == b"opus":
        return _ogg(body, layout, data, chunks.get(b"pakt"), max_seconds)
    if codec not in _READ:
        name = _NAMES.get(codec) or repr(codec.decode("ascii", "replace"))
        raise AudioFormatUnsupported(as_wav(f"CAF with {name}", "caf"), "CAF with PCM, G.711, ALAC, IMA ADPCM or Opus")
    return body if data.whole else _mended(body, data)


def _chunks(body: bytes) -> Iterator[_Chunk]:
    at = 8
    for _ in range(_MOST_CHUNKS):
        if at + 12 > len(body):
            return
        name, size = struct.unpack_from(">4sq", body, at)
        whole = 0 <= size <= len(body) - at - 12
        end = at + 12 + size if whole else len(body)
        yield _Chunk(name, at, at + 12, end, whole)
        at = end


def _mended(body: bytes, data: _Chunk) -> bytes:
    """The data chunk is the last one, since it goes to the end."""
    size = struct.pack(">q", len(body) - data.start)
    return b"".join((body[: data.header + 4], size, memoryview(body)[data.start :]))


def _ogg(body: bytes, layout: _Chunk, data: _Chunk, table: _Chunk | None, max_seconds: float) -> bytes:
    packet_bytes, packet_frames, channels, _ = struct.unpack_from(">IIII", body, layout.start + 16)
    if not 1 <= channels <= 2:
        raise AudioFormatUnsupported(f"CAF with Opus of {channels} channels", "Opus of one or two channels")
    if table is None or table.end - table.start < 24:
        raise AudioUnreadable("The CAF file has Opus without a packet table: it was not finished.")
    count, _, priming, _ = struct.unpack_from(">qqii", body, table.start)
    sizes = _sizes(body, table.start + 24, table.end, count, packet_bytes, has_frames=packet_frames == 0)
    packets, samples, at = [], 0, data.start + 4  # behind the count of edits
    for size in sizes:
        packet = body[at : min(at + size, data.end)]
        if len(packet) < size or not packet:
            break
        if not fits_a_page(packet):
            raise AudioUnreadable("The CAF file has an Opus packet that is too large.")
        packets.append(OpusPacket(packet, opus_samples(packet)))
        samples += packets[-1].samples
        if samples / OPUS_RATE > max_seconds + 1.0:  # the decoder skips the first milliseconds, checks exactly
            raise AudioTooLong(max_seconds, max_seconds, at_least=True)
        at += size
    if not packets:
        raise AudioUnreadable("The CAF file holds no audio packets.")
    return opus_stream(opus_head(channels, min(max(priming, 0), 0xFFFF)), packets)


def _sizes(body: bytes, at: int, end: int, count: int, packet_bytes: int, *, has_frames: bool) -> Iterator[int]:
    """Bytes of each packet: the same for all, or a number of seven bits a byte, before a number of frames if they
    differ too."""
    for _ in range(min(max(count, 0), _MOST_PACKETS)):
        size = packet_bytes
        if packet_bytes == 0:
            size, at = _number(body, at, end)
        if has_frames:
            _, at = _number(body, at, end)
        yield size


def _number(body: bytes, at: int, end: int) -> tuple[int, int]:
    """The number and where it ends; 0 behind the table's end."""
    value = 0
    for place in range(at, min(at + 5, end)):
        value = value << 7 | body[place] & 0x7F
        if not body[place] & 0x80:
            return value, place + 1
    return 0, end
