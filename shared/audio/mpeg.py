"""MPEG audio frame headers: enough to tell MP3 and AAC from raw samples that happen to start with 0xFF.

One header's sync bits occur by chance once in a few thousand bodies of headerless PCM, so two frames in a row are
asked for. Field layout: ISO/IEC 11172-3 and 13818-3 (layer III), ISO/IEC 13818-7 (ADTS).
"""

from __future__ import annotations

from typing import Final

_KBITS_MPEG1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Hz by version bits: 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5."""


def starts_with_mp3(body: bytes) -> bool:
    """A whole layer III frame and the header of the next, or a frame that ends the body."""
    length = _mp3_frame_bytes(body, 0)
    return length > 0 and (len(body) == length or _mp3_frame_bytes(body, length) > 0)


def starts_with_adts(body: bytes) -> bool:
    """An ADTS frame of AAC and the header of the next, or a frame that ends the body."""
    length = _adts_frame_bytes(body, 0)
    return length > 0 and (len(body) == length or _adts_frame_bytes(body, length) > 0)


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
