"""Opus packets as an Ogg file, so that libsndfile decodes what came in another container; for WebM, MP4 and CAF.

Page layout and checksum: RFC 3533, section 6. Opus in Ogg (granule positions at 48 kHz, OpusTags): RFC 7845.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from shared.domain.errors import AudioTooLong, AudioUnreadable

OPUS_RATE: Final = 48_000  # Hz: what Opus counts in, whatever was recorded
MOST_PACKETS: Final = 300_000  # five minutes of the shortest Opus packets (2.5 ms) are 120,000
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SEGMENTS: Final = 255
_LONGEST_PACKET: Final = _SEGMENTS * 254
"""Bytes that fit on one page. The largest Opus packet, 120 ms of three frames, has under 4 KiB per stream."""
_OPUS_TAGS: Final = b"OpusTags" + struct.pack("<I6sI", 6, b"timbre", 0)
_OPUS_FRAME_SAMPLES: Final = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""RFC 6716, table 2: samples at 48 kHz of one frame, by the configuration in a packet's first five bits."""


def opus_file(head: bytes, packets: Iterable[bytes], container: str, max_seconds: float) -> bytes:
    """An Ogg Opus file of the identification header ``head`` (``OpusHead``); ``container`` is for messages.

    Raises ``AudioUnreadable`` (no packets, or too large ones), and ``AudioTooLong`` as soon as the packets tell.
    """
    pages = [_page([head], 0, 0, 0x02), _page([_OPUS_TAGS], 0, 1, 0x00)]
    waiting: list[bytes] = []
    segments = granule = 0
    for packet in islice(packets, MOST_PACKETS):
        if len(packet) > _LONGEST_PACKET:
            raise AudioUnreadable(f"The {container} file has an Opus packet that is too large.")
        needed = len(packet) // 255 + 1
        if segments + needed > _SEGMENTS:
            pages.append(_page(waiting, granule, len(pages), 0x00))
            waiting, segments = [], 0
        waiting.append(packet)
        segments += needed
        granule += _opus_samples(packet)
        if granule / OPUS_RATE > max_seconds + 1.0:  # the decoder skips the first milliseconds, checks exactly
            raise AudioTooLong(max_seconds, max_seconds, at_least=True)
    if not waiting:
        raise AudioUnreadable(f"The {container} file holds no audio packets.")
    pages.append(_page(waiting, granule, len(pages), 0x04))
    return b"".join(pages)


def opus_head(channels: int, pre_skip: int, rate: int = OPUS_RATE, gain: int = 0) -> bytes:
    """The identification header (RFC 7845, section 5.1) of one or two channels; ``pre_skip`` in samples at 48 kHz."""
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, pre_skip, rate, gain, 0)


def cut(body: bytes, places: Iterable[tuple[int, int]], end: int) -> Iterator[bytes]:
    """The packets at these places and of these sizes, up to the first that the body, or ``end`` of it, lacks."""
    for start, size in places:
        if size <= 0 or start + size > end:
            return
        yield body[start : start + size]


def checksum(page: bytes) -> int:
    """Ogg's CRC-32: polynomial 0x04C11DB7 most significant bit first, start 0, no final inversion.

    zlib's runs the same polynomial from the other end of each byte, and inverts at both ends: feeding it mirrored
    bytes and mirroring its result gives Ogg's at C speed.
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


def _opus_samples(packet: bytes) -> int:
    """Duration at 48 kHz from the first bytes (RFC 6716, section 3.1); 0 for none."""
    if not packet:
        return 0
    frames = (1, 2, 2)[packet[0] & 3] if packet[0] & 3 < 3 else (packet[1] & 63 if len(packet) > 1 else 0)
    return frames * _OPUS_FRAME_SAMPLES[packet[0] >> 3]


def _page(packets: Sequence[bytes], granule: int, number: int, flags: int) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,)) for packet in packets)
    header = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, number, 0, len(lacing))
    page = bytearray(b"".join((header, lacing, *packets)))
    struct.pack_into("<I", page, 22, checksum(bytes(page)))
    return bytes(page)
