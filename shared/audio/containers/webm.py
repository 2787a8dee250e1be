"""Opus and PCM out of WebM, as Chrome's and Firefox's MediaRecorder write it; Opus is put into Ogg for libsndfile.

What it buys: libsndfile knows no WebM, the format of nearly every recording made in a browser. What it costs: 160
lines. The file is read as one flat run of elements: containers are entered, everything else is skipped. So segments and
clusters of unknown size, which a live recording has, need no special care. Element ids: RFC 9559 (Matroska); sizes: RFC
8794 (EBML).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from shared.audio.containers.ogg import opus_file
from shared.audio.formats import not_decoded
from shared.audio.plain_samples import FLOAT_BY_BITS, PCM_BY_BITS, PlainSamples
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable
from shared.domain.recording import AudioFormat

_SEGMENT, _CLUSTER, _BLOCK_GROUP, _TRACKS, _TRACK, _AUDIO = 0x18538067, 0x1F43B675, 0xA0, 0x1654AE6B, 0xAE, 0xE1
_ENTERED: Final = frozenset({_SEGMENT, _CLUSTER, _BLOCK_GROUP, _TRACKS, _TRACK, _AUDIO})
_BLOCK, _SIMPLE_BLOCK = 0xA1, 0xA3
_BLOCKS: Final = frozenset({_BLOCK, _SIMPLE_BLOCK})
_TRACK_NUMBER, _CODEC_ID, _CODEC_PRIVATE, _ENCODINGS, _RATE, _CHANNELS, _BITS = (
    0xD7, 0x86, 0x63A2, 0x6D80, 0xB5, 0x9F, 0x6264
)  # fmt: skip
_UNKNOWN_SIZE: Final = -1
_LACING: Final = 0x06
_MOST_ELEMENTS: Final = 300_000
"""Five minutes of the shortest Opus packets (2.5 ms) are 120,000 blocks; more elements than this are no recording."""
_LONGEST_FIELD: Final = 1_024  # bytes of a track's element that are kept
_OPUS: Final = "A_OPUS"
_PCM_BIG: Final = "A_PCM/INT/BIG"
_PCM: Final = {"A_PCM/INT/LIT": PCM_BY_BITS, _PCM_BIG: PCM_BY_BITS, "A_PCM/FLOAT/IEEE": FLOAT_BY_BITS}
_NAMES: Final = {
    "A_VORBIS": "Vorbis", "A_FLAC": "FLAC", "A_MPEG/L3": "MP3", "A_MPEG/L2": "MPEG layer II", "A_AC3": "AC-3",
    "A_EAC3": "E-AC-3", "A_ALAC": "ALAC", "A_DTS": "DTS",
}  # fmt: skip


_Track = dict[int, bytes]
"""The contents of its elements."""


def opened(body: bytes, max_seconds: float) -> PlainSamples | bytes:
    """The first track that can be read: PCM as it is, or Opus as an Ogg file. A cut recording gives what is there.

    Raises ``AudioTooLong`` as soon as the packets tell, ``AudioFormatUnsupported`` (no such track, or one that is
    laced, compressed or encrypted), ``AudioUnreadable`` (the elements make no sense).
    """
    track = _choose(_tracks(body))
    codec, packets = _codec(track), _packets(body, _unsigned(track.get(_TRACK_NUMBER, b"")))
    if codec == _OPUS:
        return opus_file(track[_CODEC_PRIVATE], packets, "WebM", max_seconds)
    raw, bits = memoryview(b"".join(packets)), _unsigned(track.get(_BITS, b""))
    if not raw:
        raise AudioUnreadable("The WebM file holds no audio packets.")
    channels, rate, encoding = _unsigned(track.get(_CHANNELS, b"\1")), _rate(track), _PCM[codec].get(bits)
    if encoding is None or not 0 < channels < 256 or rate <= 0:
        sizes = f"{bits} bits, {channels} channels at {rate} Hz"
        raise AudioUnreadable(f"The WebM header promises {codec} of {sizes}.")
    return PlainSamples(AudioFormat("WebM", encoding, rate, channels), raw, codec == _PCM_BIG)


def _tracks(body: bytes) -> list[_Track]:
    """Those before the first block."""
    tracks: list[_Track] = []
    for element, content in _elements(body):
        if element in _BLOCKS:
            break
        if element == _TRACK:
            tracks.append({})
        elif tracks:
            tracks[-1][element] = bytes(content[:_LONGEST_FIELD])
    return tracks


def _elements(body: bytes) -> Iterator[tuple[int, memoryview]]:
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


def _unsigned(content: bytes) -> int:
    return int.from_bytes(content[:8], "big")


def _rate(track: _Track) -> int:
    """In Hz, rounded; 0 where it is none. What is not said is 8 kHz."""
    content = track.get(_RATE, struct.pack(">f", 8_000.0))
    if len(content) not in (4, 8):
        return 0
    (value,) = struct.unpack(">f" if len(content) == 4 else ">d", content)
    return round(value) if 0.0 < value < 1e9 else 0


def _codec(track: _Track) -> str:
    return track.get(_CODEC_ID, b"")[:32].rstrip(b"\0").decode("ascii", "replace")


def _choose(tracks: list[_Track]) -> _Track:
    track = next((track for track in tracks if _codec(track) in (_OPUS, *_PCM)), None)
    if track is None:
        raise not_decoded(f"WebM with {_codecs(tracks)}", "webm", "WebM with Opus or PCM")
    if _ENCODINGS in track:
        raise AudioFormatUnsupported("WebM with a compressed or encrypted track", "WebM with plain Opus")
    head = track.get(_CODEC_PRIVATE, b"")
    if _codec(track) == _OPUS and (len(head) < 19 or not head.startswith(b"OpusHead")):
        raise AudioUnreadable("The WebM file's Opus track has no OpusHead.")
    return track


def _codecs(tracks: list[_Track]) -> str:
    """For messages: a few of the tracks' codecs, audio first."""
    named = sorted(filter(None, map(_codec, tracks)), key=lambda codec: not codec.startswith("A_"))
    shown = ["AAC" if codec.startswith("A_AAC") else _NAMES.get(codec, codec) for codec in dict.fromkeys(named)]
    return ", ".join(shown[:3]) + (" and others" if len(shown) > 3 else "") or "no tracks"


def _packets(body: bytes, track: int) -> Iterator[bytes]:
    """Of the track's blocks, which hold the track's number, two bytes of time, flags and a packet."""
    for element, block in _elements(body):
        if element in _BLOCKS and len(block) >= 5:
            number, at = _number(block, 0)
            if number == track and at + 3 < len(block):
                if block[at + 2] & _LACING:
                    raise AudioFormatUnsupported("WebM with laced blocks", "WebM with one packet a block")
                yield bytes(block[at + 3 :])
