"""Opus and PCM out of WebM, as Chrome's and Firefox's MediaRecorder write it; Opus is put into Ogg for libsndfile.

The file is read as one flat run of elements: containers are entered, everything else is skipped. So segments and
clusters of unknown size, which a live recording has, need no special care. Element ids: RFC 9559 (Matroska); sizes:
RFC 8794 (EBML).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from shared.audio.containers.ogg import opus_file
from shared.audio.formats import not_decoded
from shared.audio.plain_samples import Encoding, PlainSamples
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable
from shared.domain.recording import AudioFormat


class _Id:
    SEGMENT, CLUSTER, BLOCK_GROUP, BLOCK, SIMPLE_BLOCK = 0x18538067, 0x1F43B675, 0xA0, 0xA1, 0xA3
    TRACKS, TRACK, TRACK_NUMBER, CODEC_ID, CODEC_PRIVATE, ENCODINGS = 0x1654AE6B, 0xAE, 0xD7, 0x86, 0x63A2, 0x6D80
    AUDIO, RATE, CHANNELS, BITS = 0xE1, 0xB5, 0x9F, 0x6264


_ENTERED: Final = frozenset({_Id.SEGMENT, _Id.CLUSTER, _Id.TRACKS, _Id.TRACK, _Id.BLOCK_GROUP, _Id.AUDIO})
_BLOCKS: Final = frozenset({_Id.SIMPLE_BLOCK, _Id.BLOCK})
_UNKNOWN_SIZE: Final = -1
_LACING: Final = 0x06

_MOST_ELEMENTS: Final = 300_000
"""Five minutes of the shortest Opus packets (2.5 ms) are 120,000 blocks; more elements than this are no recording."""

_OPUS: Final = "A_OPUS"
_PCM_BIG: Final = "A_PCM/INT/BIG"
_INTEGERS: Final = {8: Encoding.PCM_U8, 16: Encoding.PCM_16, 24: Encoding.PCM_24, 32: Encoding.PCM_32}
_PCM: Final = {
    "A_PCM/INT/LIT": _INTEGERS,
    _PCM_BIG: _INTEGERS,
    "A_PCM/FLOAT/IEEE": {32: Encoding.FLOAT, 64: Encoding.DOUBLE},
}
_NAMES: Final = {
    "A_VORBIS": "Vorbis", "A_FLAC": "FLAC", "A_MPEG/L3": "MP3", "A_MPEG/L2": "MPEG layer II", "A_AC3": "AC-3",
    "A_EAC3": "E-AC-3", "A_ALAC": "ALAC", "A_DTS": "DTS",
}  # fmt: skip

Element = tuple[int, memoryview]


@dataclass
class _Track:
    number: int = 0
    codec: str = ""
    private: bytes = b""
    rate: int = 8_000
    channels: int = 1
    bits: int = 0
    encoded: bool = False


def opened(body: bytes, max_seconds: float) -> PlainSamples | bytes:
    """The first track that can be read: PCM as it is, or Opus as an Ogg file. A cut recording gives what is there.

    Raises
    ------
    AudioTooLong
        The packets last longer than ``max_seconds``; reading stops there.
    AudioFormatUnsupported
        No such track, or one that is laced, compressed or encrypted.
    AudioUnreadable
        The elements make no sense.
    """
    elements = _elements(body)
    tracks, first_block = _tracks(elements)
    track = _choose(tracks)
    packets = _packets(track, chain(first_block, elements))
    if track.codec == _OPUS:
        return opus_file(track.private, packets, "WebM", max_seconds)
    raw, encoding = memoryview(b"".join(packets)), _PCM[track.codec].get(track.bits)
    if not raw:
        raise AudioUnreadable("The WebM file holds no audio packets.")
    if encoding is None or not 0 < track.channels < 256 or track.rate <= 0:
        sizes = f"{track.bits} bits, {track.channels} channels at {track.rate} Hz"
        raise AudioUnreadable(f"The WebM header promises {track.codec} of {sizes}.")
    received = AudioFormat("WebM", str(encoding), track.rate, track.channels)
    return PlainSamples(received, encoding, raw, big_endian=track.codec == _PCM_BIG)


def _tracks(elements: Iterator[Element]) -> tuple[list[_Track], list[Element]]:
    """All tracks, and the block behind them."""
    tracks: list[_Track] = []
    for element, content in elements:
        if element == _Id.TRACK:
            tracks.append(_Track())
        elif element in _BLOCKS:
            return tracks, [(element, content)]
        elif tracks:
            _describe(tracks[-1], element, content)
    return tracks, []


def _elements(body: bytes) -> Iterator[Element]:
    """Ids and contents in the order of the file; containers come with empty content, their children follow."""
    view, at = memoryview(body), 0
    for _ in range(_MOST_ELEMENTS):
        if at + 2 > len(body):
            return
        element, at = _number(body, at, id_bytes=4)
        size, at = _number(body, at)
        if element in _ENTERED:
            yield element, view[:0]
            continue
        if size == _UNKNOWN_SIZE:
            raise AudioUnreadable("The WebM file has an element of unknown size where none may be.")
        if at + size > len(body):  # cut off in the middle of an element: what came before is whole
            return
        yield element, view[at : at + size]
        at += size
    raise AudioUnreadable(f"The WebM file has more than {_MOST_ELEMENTS:,} elements.")


def _number(body: bytes | memoryview, at: int, *, id_bytes: int = 0) -> tuple[int, int]:
    """A variable-length integer and where it ends; ``_UNKNOWN_SIZE`` for the value that is reserved for that.

    The first bits tell its bytes; they belong to the number in ids, which have up to ``id_bytes``.
    """
    first = body[at] if at < len(body) else 0
    width = 9 - first.bit_length()
    if width > (id_bytes or 8):
        raise AudioUnreadable("The WebM file is damaged.")
    value, end = int.from_bytes(body[at : at + width], "big"), at + width
    if id_bytes:
        return value, end
    most = (1 << 7 * width) - 1
    return (_UNKNOWN_SIZE if value & most == most else value & most), end


def _describe(track: _Track, element: int, content: memoryview) -> None:
    number = int.from_bytes(content[:8], "big")
    match element:
        case _Id.TRACK_NUMBER:
            track.number = number
        case _Id.CODEC_ID:
            track.codec = bytes(content[:32]).rstrip(b"\0").decode("ascii", "replace")
        case _Id.CODEC_PRIVATE:
            track.private = bytes(content[:1024])
        case _Id.RATE:
            track.rate = _rate(content)
        case _Id.CHANNELS:
            track.channels = number
        case _Id.BITS:
            track.bits = number
        case _Id.ENCODINGS:
            track.encoded = True


def _rate(content: memoryview) -> int:
    """A rate in Hz, rounded; 0 where it is none."""
    if len(content) not in (4, 8):
        return 0
    (value,) = struct.unpack(">f" if len(content) == 4 else ">d", content)
    return round(value) if 0.0 < value < 1e9 else 0


def _choose(tracks: list[_Track]) -> _Track:
    track = next((track for track in tracks if track.codec == _OPUS or track.codec in _PCM), None)
    if track is None:
        raise not_decoded(f"WebM with {_codecs(tracks)}", "webm", "WebM with Opus or PCM")
    if track.encoded:
        raise AudioFormatUnsupported("WebM with a compressed or encrypted track", "WebM with plain Opus")
    if track.codec == _OPUS and (len(track.private) < 19 or not track.private.startswith(b"OpusHead")):
        raise AudioUnreadable("The WebM file's Opus track has no OpusHead.")
    return track


def _codecs(tracks: list[_Track]) -> str:
    """For messages: a few of the tracks' codecs, audio first."""
    named = sorted({track.codec for track in tracks if track.codec}, key=lambda codec: not codec.startswith("A_"))
    shown = ["AAC" if codec.startswith("A_AAC") else _NAMES.get(codec, codec) for codec in named[:3]]
    return ", ".join(shown) + (" and others" if len(named) > 3 else "") or "no tracks"


def _packets(track: _Track, elements: Iterable[Element]) -> Iterator[bytes]:
    """Of the track's blocks, which hold the track's number, two bytes of time, flags and a packet."""
    for element, block in elements:
        if element in _BLOCKS and len(block) >= 5:
            number, at = _number(block, 0)
            if number == track.number and at + 3 < len(block):
                if block[at + 2] & _LACING:
                    raise AudioFormatUnsupported("WebM with laced blocks", "WebM with one packet a block")
                yield bytes(block[at + 3 :])
