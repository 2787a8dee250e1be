"""Opus out of WebM, as Chrome's and Firefox's MediaRecorder write it, put into Ogg for libsndfile.

The file is read as one flat run of elements: containers are entered, everything else is skipped. So segments and
clusters of unknown size, which a live recording has, need no special care. Element ids: RFC 9559 (Matroska); sizes:
RFC 8794 (EBML).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from shared.audio.ogg import OpusPacket, fits_a_page, opus_stream
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioUnreadable

_SEGMENT, _CLUSTER, _TRACKS, _TRACK, _BLOCK_GROUP = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xA0
_ENTERED: Final = frozenset({_SEGMENT, _CLUSTER, _TRACKS, _TRACK, _BLOCK_GROUP})
_TRACK_NUMBER, _CODEC_ID, _CODEC_PRIVATE, _ENCODINGS = 0xD7, 0x86, 0x63A2, 0x6D80
_SIMPLE_BLOCK, _BLOCK = 0xA3, 0xA1
_LACING: Final = 0x06

_MOST_ELEMENTS: Final = 300_000
"""Five minutes of the shortest Opus packets (2.5 ms) are 120,000 blocks; more elements than this are no recording."""

_OPUS: Final = b"A_OPUS"
_OPUS_RATE: Final = 48_000
_OPUS_FRAME_SAMPLES: Final = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""RFC 6716, table 2: samples at 48 kHz of one frame, by the configuration in a packet's first five bits."""


@dataclass
class _Track:
    number: int = 0
    codec: bytes = b""
    private: bytes = b""
    encoded: bool = False


@dataclass
class _Opus:
    track: _Track
    packets: list[OpusPacket] = field(default_factory=list)
    samples: int = 0


def opus_as_ogg(body: bytes, max_seconds: float) -> bytes:
    """The first Opus track as an Ogg file; a truncated recording gives what is there.

    Raises
    ------
    AudioTooLong
        The packets last longer than ``max_seconds``; reading stops there.
    AudioFormatUnsupported
        No Opus track, or one that is laced, compressed or encrypted.
    AudioUnreadable
        The elements make no sense.
    """
    tracks: list[_Track] = []
    opus: _Opus | None = None
    for element, content in _elements(body):
        if element == _TRACK:
            tracks.append(_Track())
        elif element in (_SIMPLE_BLOCK, _BLOCK):
            opus = opus or _Opus(_opus_track(tracks))
            _take(opus, content, max_seconds)
        elif tracks:
            _describe(tracks[-1], element, content)
    if opus is None:
        _opus_track(tracks)
        raise AudioUnreadable("The WebM file holds no audio packets.")
    return opus_stream(opus.track.private, opus.packets)


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
        track.codec = bytes(content[:32]).rstrip(b"\0")
    elif element == _CODEC_PRIVATE:
        track.private = bytes(content[:1024])
    elif element == _ENCODINGS:
        track.encoded = True


def _opus_track(tracks: list[_Track]) -> _Track:
    track = next((track for track in tracks if track.codec == _OPUS), None)
    if track is None:
        codecs = ", ".join(track.codec.decode("ascii", "replace") for track in tracks) or "no tracks"
        raise AudioFormatUnsupported(f"WebM with {codecs}", "WebM with Opus")
    if track.encoded:
        raise AudioFormatUnsupported("WebM with a compressed or encrypted track", "WebM with plain Opus")
    if len(track.private) < 19 or not track.private.startswith(b"OpusHead"):
        raise AudioUnreadable("The WebM file's Opus track has no OpusHead.")
    return track


def _take(opus: _Opus, block: memoryview, max_seconds: float) -> None:
    """Add a block's packet if it is of the track. A block: the track's number, two bytes of time, flags, packet."""
    if len(block) < 5:
        return
    head = bytes(block[:9])
    number, at = _number(head, 0, keep_marker=False)
    if number != opus.track.number or at + 3 >= len(block):
        return
    if block[at + 2] & _LACING:
        raise AudioFormatUnsupported("WebM with laced blocks", "WebM with one packet a block")
    packet = bytes(block[at + 3 :])
    if not fits_a_page(packet):
        raise AudioUnreadable("The WebM file has an Opus packet that is too large.")
    samples = _opus_samples(packet)
    opus.packets.append(OpusPacket(packet, samples))
    opus.samples += samples
    if opus.samples / _OPUS_RATE > max_seconds + 1.0:  # the decoder skips the first milliseconds and checks exactly
        raise AudioTooLong(max_seconds, max_seconds, at_least=True)


def _opus_samples(packet: bytes) -> int:
    """Duration at 48 kHz from the first bytes (RFC 6716, section 3.1)."""
    frames = (1, 2, 2)[packet[0] & 3] if packet[0] & 3 < 3 else (packet[1] & 63 if len(packet) > 1 else 0)
    return frames * _OPUS_FRAME_SAMPLES[packet[0] >> 3]
