"""Writes Opus packets as an Ogg stream, so that libsndfile can decode what came in another container.

Page layout and checksum: RFC 3533, section 6. Opus in Ogg (granule positions at 48 kHz, OpusTags): RFC 7845.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SEGMENTS: Final = 255
_OPUS_TAGS: Final = b"OpusTags" + struct.pack("<I6sI", 6, b"timbre", 0)
_LONGEST_PACKET: Final = _SEGMENTS * 254
"""Bytes that fit on one page. The largest Opus packet, 120 ms of three frames, has under 4 KiB per stream."""


OPUS_RATE: Final = 48_000
"""Hz: what Opus counts in, whatever was recorded."""
_OPUS_FRAME_SAMPLES: Final = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""RFC 6716, table 2: samples at 48 kHz of one frame, by the configuration in a packet's first five bits."""


@dataclass(frozen=True)
class OpusPacket:
    data: bytes
    samples: int
    """Duration in samples at 48 kHz."""


def opus_stream(head: bytes, packets: Sequence[OpusPacket]) -> bytes:
    """An Ogg Opus file of the identification header ``head`` (``OpusHead``) and packets that fit a page each."""
    pages = [_page([head], 0, 0, 0x02), _page([_OPUS_TAGS], 0, 1, 0x00)]
    waiting: list[bytes] = []
    segments = granule = 0
    for packet in packets:
        needed = len(packet.data) // 255 + 1
        if waiting and segments + needed > _SEGMENTS:
            pages.append(_page(waiting, granule, len(pages), 0x00))
            waiting, segments = [], 0
        waiting.append(packet.data)
        segments += needed
        granule += packet.samples
    pages.append(_page(waiting, granule, len(pages), 0x04))
    return b"".join(pages)


def opus_head(channels: int, pre_skip: int, rate: int = OPUS_RATE, gain: int = 0) -> bytes:
    """The identification header (RFC 7845, section 5.1) of one or two channels; ``pre_skip`` in samples at 48 kHz."""
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, pre_skip, rate, gain, 0)


def opus_samples(packet: bytes) -> int:
    """Duration at 48 kHz from the first bytes (RFC 6716, section 3.1); 0 for none."""
    if not packet:
        return 0
    frames = (1, 2, 2)[packet[0] & 3] if packet[0] & 3 < 3 else (packet[1] & 63 if len(packet) > 1 else 0)
    return frames * _OPUS_FRAME_SAMPLES[packet[0] >> 3]


def fits_a_page(packet: bytes) -> bool:
    return len(packet) <= _LONGEST_PACKET


def checksum(page: bytes) -> int:
    """Ogg's CRC-32: polynomial 0x04C11DB7 most significant bit first, start 0, no final inversion.

    zlib's runs the same polynomial from the other end of each byte, and inverts at both ends: feeding it mirrored
    bytes and mirroring its result gives Ogg's at C speed.
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


def _page(packets: Sequence[bytes], granule: int, number: int, flags: int) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,)) for packet in packets)
    header = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, number, 0, len(lacing))
    page = bytearray(b"".join((header, lacing, *packets)))
    struct.pack_into("<I", page, 22, checksum(bytes(page)))
    return bytes(page)
