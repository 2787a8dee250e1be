"""Core Audio Format as phones write it: sizes never filled in, and Opus, which is put into Ogg for libsndfile.

What it buys: libsndfile reads neither, nor does it name another codec. What it costs: 100 lines. Chunks, the packet
table and its numbers: Apple, "Core Audio Format Specification 1.0".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from shared.audio.containers.ogg import MOST_PACKETS, cut, opus_file, opus_head
from shared.audio.formats import not_decoded
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable

_MOST_CHUNKS: Final = 1_000
_DECODED: Final = frozenset({b"lpcm", b"alac", b"ulaw", b"alaw", b"ima4"})
_NAMES: Final = {
    b"aac ": "AAC", b"aace": "AAC-ELD", b"aacf": "AAC-ELD", b"aach": "HE-AAC", b"aacl": "AAC-LD", b"aacp": "HE-AAC",
    b".mp3": "MP3", b".mp2": "MPEG layer II", b"ac-3": "AC-3", b"samr": "AMR-NB", b"sawb": "AMR-WB", b"ilbc": "iLBC",
    b"flac": "FLAC", b"QDM2": "QDesign", b"MAC3": "MACE 3:1", b"MAC6": "MACE 6:1",
}  # fmt: skip


class _Chunk(NamedTuple):
    start: int
    end: int
    whole: bool
    """False where the header's size is -1, for unknown, or more than the body holds."""


def opened(body: bytes, max_seconds: float) -> bytes:
    """A file that libsndfile reads: the same with true sizes, or Opus as an Ogg file.

    Raises ``AudioUnreadable``, ``AudioFormatUnsupported``, and ``AudioTooLong`` as soon as the packets tell.
    """
    chunks: dict[bytes, _Chunk] = {}
    for name, chunk in _chunks(body):
        chunks.setdefault(name, chunk)
    layout, data = chunks.get(b"desc"), chunks.get(b"data")
    if layout is None or layout.end - layout.start < 32 or data is None:
        raise AudioUnreadable("The CAF file has no description or no data.")
    codec = body[layout.start + 8 : layout.start + 12]
    if codec == b"opus":
        return _ogg(body, layout, data, chunks.get(b"pakt"), max_seconds)
    if codec not in _DECODED:
        shown = _NAMES.get(codec) or repr(codec.decode("ascii", "replace"))
        raise not_decoded(f"CAF with {shown}", "caf", "CAF with PCM, G.711, ALAC, IMA ADPCM or Opus")
    if data.whole:
        return body
    size = struct.pack(">q", len(body) - data.start)  # the data chunk is the last one, since it goes to the end
    return b"".join((body[: data.start - 8], size, memoryview(body)[data.start :]))


def _chunks(body: bytes) -> Iterator[tuple[bytes, _Chunk]]:
    at = 8
    for _ in range(_MOST_CHUNKS):
        if at + 12 > len(body):
            return
        name, size = struct.unpack_from(">4sq", body, at)
        start = at + 12
        whole = 0 <= size <= len(body) - start
        at = start + size if whole else len(body)
        yield name, _Chunk(start, at, whole)


def _ogg(body: bytes, layout: _Chunk, data: _Chunk, table: _Chunk | None, max_seconds: float) -> bytes:
    packet_bytes, packet_frames, channels, _ = struct.unpack_from(">IIII", body, layout.start + 16)
    if not 1 <= channels <= 2:
        raise AudioFormatUnsupported(f"CAF with Opus of {channels} channels", "Opus of one or two channels")
    if table is None or table.end - table.start < 24:
        raise AudioUnreadable("The CAF file has Opus without a packet table: it was not finished.")
    count, _, priming, _ = struct.unpack_from(">qqii", body, table.start)
    numbers = _numbers(body[table.start + 24 : table.end])

    def places() -> Iterator[tuple[int, int]]:
        """A packet's bytes stand in the table unless all have as many, and then its frames unless all have as many."""
        at = data.start + 4  # behind the count of edits
        for _ in range(min(max(count, 0), MOST_PACKETS)):
            size = packet_bytes or next(numbers, 0)
            if packet_frames == 0:
                next(numbers, 0)
            yield at, size
            at += size

    head = opus_head(channels, min(max(priming, 0), 0xFFFF))
    return opus_file(head, cut(body, places(), data.end), "CAF", max_seconds)


def _numbers(table: bytes) -> Iterator[int]:
    """Of seven bits a byte, of which all but a number's last have the eighth bit."""
    value = 0
    for byte in table:
        value = (value << 7 | byte & 0x7F) & 0xFFFFFFFF
        if not byte & 0x80:
            yield value
            value = 0
