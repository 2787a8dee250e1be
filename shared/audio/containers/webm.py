"""Opus and PCM out of WebM, as Chrome's and Firefox's MediaRecorder write it; Opus is put into Ogg for libsndfile.

The file is read as one flat run of elements: containers are entered, everything else is skipped. So segments and
clusters of unknown size, which a live recording has, need no special care. Element ids: RFC 9559 (Matroska); sizes:
RFC 8794 (EBML).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from shared.audio.advice import as_wav
from shared.audio.containers.ogg import OPUS_RATE, OpusPacket, fits_a_page, opus_samples, opus_stream
from shared.audio.plain_samples import Encoding, PlainSamples
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioUnreadable
from shared.domain.recording import AudioFormat

_SEGMENT, _CLUSTER, _TRACKS, _TRACK, _BLOCK_GROUP = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xA0
_AUDIO, _RATE, _CHANNELS, _BITS = 0xE1, 0xB5, 0x9F, 0x6264
_ENTERED: Final = frozenset({_SEGMENT, _CLUSTER, _TRACKS, _TRACK, _BLOCK_GROUP, _AUDIO})
_TRACK_NUMBER, _CODEC_ID, _CODEC_PRIVATE, _ENCODINGS = 0xD7, 0x86, 0x63A2, 0x6D80
_SIMPLE_BLOCK, _BLOCK = 0xA3, 0xA1
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


@dataclass
class _Track:
    number: int = 0
    codec: str = ""
    private: bytes = b""
    rate: int = 8_000
    channels: int = 1
    bits: int = 0
    encoded: bool = False


@dataclass
class _Packets:
    """What the blocks of one track hold, in order."""

    track: _Track
    content: list[bytes] = field(default_factory=list)
    opus: list[OpusPacket] = field(default_factory=list)
    opus_samples: int = 0


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
    tracks: list[_Track] = []
    packets: _Packets | None = None
    for element, content in _elements(body):
        if element == _TRACK:
            tracks.append(_Track())
        elif element in (_SIMPLE_BLOCK, _BLOCK):
            packets = packets or _Packets(_chosen(tracks))
            _take(packets, content, max_seconds)
        elif tracks:
            _describe(tracks[-1], element, content)
    if packets is None:
        _chosen(tracks)
        raise AudioUnreadable("The WebM file holds no audio packets.")
    if packets.track.codec == _OPUS:
        return opus_stream(packets.track.private, packets.opus)
    return _plain(packets)


def _plain(packets: _Packets) -> PlainSamples:
    track = packets.track
    encoding = _PCM[track.codec].get(track.bits)
    if encoding is None or not 0 < track.channels < 256 or track.rate <= 0:
        sizes = f"{track.bits} bits, {track.channels} channels at {track.rate} Hz"
        raise AudioUnreadable(f"The WebM header promises {track.codec} of {sizes}.")
    raw = memoryview(b"".join(packets.content))
    format = AudioFormat("WebM", str(encoding), track.rate, track.channels)
    return PlainSamples(format, encoding, raw, big_endian=track.codec == _PCM_BIG)


def _elements(body: bytes) -> Iterator[tuple[int, memoryview]]:
    """Ids and contents in the order of the file; containers come with empty content, their children follow."""
    view, at = memoryview(body), 0
    for _ in range(_MOST_ELEMENTS):
        if at + 2 > len(body):
            return
        element, at = _number(body, at, keep_marker=True)
        size, at = _number(body, at, keep_marker=False)
        if element in _ENTERED:
            yield element, view[:0]
            continue
        if size is None:
            raise AudioUnreadable("The WebM file has an element of unknown size where none may be.")
        if at + size > len(body):  # cut off in the middle of an element: what came before is whole
            return
        yield element or 0, view[at : at + size]
        at += size
    raise AudioUnreadable(f"The WebM file has more than {_MOST_ELEMENTS:,} elements.")


def _number(body: bytes, at: int, *, keep_marker: bool) -> tuple[int | None, int]:
    """A variable-length integer and where it ends; ``None`` for the reserved value "unknown"."""
    first = body[at] if at < len(body) else 0
    width = 9 - first.bit_length()
    if width > (4 if keep_marker else 8):
        raise AudioUnreadable("The WebM file is damaged.")
    value = int.from_bytes(body[at : at + width], "big")
    if not keep_marker:
        value &= (1 << 7 * width) - 1
        if value == (1 << 7 * width) - 1:
            return None, at + width
    return value, at + width


def _describe(track: _Track, element: int, content: memoryview) -> None:
    if element == _TRACK_NUMBER:
        track.number = int.from_bytes(content[:8], "big")
    elif element == _CODEC_ID:
        track.codec = bytes(content[:32]).rstrip(b"\0").decode("ascii", "replace")
    elif element == _CODEC_PRIVATE:
        track.private = bytes(content[:1024])
    elif element == _RATE:
        track.rate = _float(content)
    elif element == _CHANNELS:
        track.channels = int.from_bytes(content[:8], "big")
    elif element == _BITS:
        track.bits = int.from_bytes(content[:8], "big")
    elif element == _ENCODINGS:
        track.encoded = True


def _float(content: memoryview) -> int:
    """A rate in Hz, rounded; 0 where it is none."""
    if len(content) not in (4, 8):
        return 0
    (value,) = struct.unpack(">f" if len(content) == 4 else ">d", content)
    return round(value) if 0.0 < value < 1e9 else 0


def _chosen(tracks: list[_Track]) -> _Track:
    track = next((track for track in tracks if track.codec == _OPUS or track.codec in _PCM), None)
    if track is None:
        raise AudioFormatUnsupported(as_wav(f"WebM with {_codecs(tracks)}", "webm"), "WebM with Opus or PCM")
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


def _take(packets: _Packets, block: memoryview, max_seconds: float) -> None:
    """Add a block's packet if it is of the track. A block: the track's number, two bytes of time, flags, packet."""
    if len(block) < 5:
        return
    head = bytes(block[:9])
    number, at = _number(head, 0, keep_marker=False)
    if number != packets.track.number or at + 3 >= len(block):
        return
    if block[at + 2] & _LACING:
        raise AudioFormatUnsupported("WebM with laced blocks", "WebM with one packet a block")
    packet = bytes(block[at + 3 :])
    if packets.track.codec != _OPUS:
        packets.content.append(packet)
        return
    if not fits_a_page(packet):
        raise AudioUnreadable("The WebM file has an Opus packet that is too large.")
    samples = opus_samples(packet)
    packets.opus.append(OpusPacket(packet, samples))
    packets.opus_samples += samples
    if packets.opus_samples / OPUS_RATE > max_seconds + 1.0:  # the decoder skips the first milliseconds, checks exactly
        raise AudioTooLong(max_seconds, max_seconds, at_least=True)
