"""MPEG audio frame headers: enough to tell MP3 and AAC from raw samples that happen to look like one.

What it buys: libsndfile refuses an MP3 that begins with zeros, with tags and zeros, or in the middle of a frame, and
MP3 named audio/wav would be heard as noise. What it costs: 80 lines. One header's sync bits occur by chance once in a
few thousand places of headerless PCM, and quiet mu-law is full of them, so a row of frames is asked for. Field layout:
ISO/IEC 11172-3 and 13818-3 (layer III), ISO/IEC 13818-7 (ADTS).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_KBITS_MPEG1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Hz by version bits: 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5."""
_ENOUGH: Final = 6  # frames in a row that no other bytes have by chance. The last may be cut.
_SYNC: Final = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")  # layer III of any version, with or without a checksum
_SEARCHED: Final = 4 * 1_441
"""Bytes, four of the longest frames (320 kbit/s at 32 kHz). A stream cut out of another starts at most one frame before
its first whole one."""
_ZEROS: Final = re.compile(rb"\0{0,65536}")


def mp3_start(body: bytes) -> int | None:
    """Where the first whole layer III frame is, behind tags, zeros and the rest of a frame; ``None`` if nowhere."""
    zeros = _ZEROS.match(body, behind_tags(body))
    start = zeros.end() if zeros else 0
    syncs = (sync.start() for sync in _SYNC.finditer(body, start, start + _SEARCHED))
    return next((at for at in syncs if _has_frames(body, at, _mp3_frame_bytes)), None)


def starts_with_adts(body: bytes) -> bool:
    """ADTS frames of AAC, behind tags."""
    return _has_frames(body, behind_tags(body), _adts_frame_bytes)


def behind_tags(body: bytes) -> int:
    """Where ID3v2 tags end: three letters, version, flags, and 28 bits of length in four bytes."""
    at = 0
    for _ in range(8):  # some taggers put one before another
        if not body.startswith(b"ID3", at) or len(body) < at + 10:
            break
        at += 10 + (body[at + 6] << 21 | body[at + 7] << 14 | body[at + 8] << 7 | body[at + 9])
    return at


def _has_frames(body: bytes, at: int, frame_bytes: Callable[[bytes, int], int]) -> bool:
    """A row of frames; or where the body is shorter, one that ends it, or two of which the second may be cut."""
    for count in range(_ENOUGH):
        if at >= len(body):
            return count > 1 or (count == 1 and at == len(body))
        length = frame_bytes(body, at)
        if length == 0:
            return False
        at += length
    return True


def _mp3_frame_bytes(body: bytes, at: int) -> int:
    """Length of the layer III frame at ``at``; 0 when there is none."""
    if len(body) < at + 4 or body[at] != 0xFF or body[at + 1] & 0xE6 != 0xE2:
        return 0
    version, rate_index = body[at + 1] >> 3 & 3, body[at + 2] >> 2 & 3
    bitrate_index, padding = body[at + 2] >> 4, body[at + 2] >> 1 & 1
    if version not in _RATES or rate_index == 3 or bitrate_index in (0, 15):
        return 0
    kbits = (_KBITS_MPEG1 if version == 3 else _KBITS_MPEG2)[bitrate_index]
    return (144 if version == 3 else 72) * kbits * 1000 // _RATES[version][rate_index] + padding


def _adts_frame_bytes(body: bytes, at: int) -> int:
    if len(body) < at + 7 or body[at] != 0xFF or body[at + 1] & 0xF6 != 0xF0 or body[at + 2] >> 2 & 15 > 12:
        return 0
    length = (body[at + 3] & 3) << 11 | body[at + 4] << 3 | body[at + 5] >> 5
    return length if length > 7 else 0
