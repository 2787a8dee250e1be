"""Opus out of MP4, as Safari's and Chrome's MediaRecorder write it, put into Ogg for libsndfile; other codecs by name.

Boxes and sample tables, whole (``moov`` alone) and in fragments (``moof``): ISO/IEC 14496-12. Opus in MP4: the
specification of opus-codec.org, version 0.8.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.audio.advice import as_wav
from shared.audio.containers.ogg import OPUS_RATE, OpusPacket, fits_a_page, opus_head, opus_samples, opus_stream
from shared.audio.sniff import later_piece
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioUnreadable

_MOST_BOXES: Final = 200_000
"""A fragment has a dozen, and five minutes in fragments of a packet each have 15,000; more are no recording."""
_MOST_PACKETS: Final = 300_000
"""Five minutes of the shortest Opus packets (2.5 ms) are 120,000."""

_ENTERED: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"})
_NAMES: Final = {
    b"mp4a": "AAC", b"alac": "ALAC", b"samr": "AMR-NB", b"sawb": "AMR-WB", b"sawp": "AMR-WB+", b"ac-3": "AC-3",
    b"ec-3": "E-AC-3", b"fLaC": "FLAC", b".mp3": "MP3", b"lpcm": "PCM", b"sowt": "PCM", b"twos": "PCM",
    b"ipcm": "PCM", b"ulaw": "mu-law", b"alaw": "A-law", b"enca": "an encrypted codec",
}  # fmt: skip
_MP3_IN_MP4A: Final = (0x69, 0x6B)
_BRANDS: Final = {
    b"M4A ": ("M4A", "m4a"),
    b"qt  ": ("QuickTime", "mov"),
    b"3gp": ("3GP", "3gp"),
    b"3g2": ("3GP", "3gp"),
}


class _Box(NamedTuple):
    name: bytes
    at: int
    start: int
    end: int


@dataclass
class _Track:
    """What the tables of one audio track say; ``tables`` are its boxes by name."""

    tables: dict[bytes, _Box] = field(default_factory=dict)
    number: int = 0
    is_sound: bool = False


def opened(body: bytes, max_seconds: float) -> bytes:
    """The first Opus track as an Ogg file; a truncated recording gives what is there.

    Raises ``AudioFormatUnsupported`` with the codec that it is, ``AudioUnreadable``, and ``AudioTooLong`` as soon as
    the packets tell.
    """
    boxes = list(_boxes(body))
    tracks = _tracks(body, boxes)
    if not tracks:
        if any(box.name in (b"moof", b"mdat", b"styp") for box in boxes) and not _has(boxes, b"ftyp"):
            raise AudioUnreadable(later_piece("MP4"))
        raise AudioUnreadable("The MP4 file has no audio track, or was cut off before its header (moov).")
    track = next((track for track in tracks if _codec(body, track) == b"Opus"), None)
    if track is None:
        raise AudioFormatUnsupported(_received(body, boxes, tracks), "MP4 with Opus")
    return _ogg(
        body, track, _fragments(body, boxes, track) if _has(boxes, b"moof") else _samples(body, track), max_seconds
    )


def _ogg(body: bytes, track: _Track, places: Iterator[tuple[int, int]], max_seconds: float) -> bytes:
    packets, samples = [], 0
    for _, (at, size) in zip(range(_MOST_PACKETS), places, strict=False):
        packet = body[at : at + size]
        if len(packet) < size or not packet:
            break
        if not fits_a_page(packet):
            raise AudioUnreadable("The MP4 file has an Opus packet that is too large.")
        packets.append(OpusPacket(packet, opus_samples(packet)))
        samples += packets[-1].samples
        if samples / OPUS_RATE > max_seconds + 1.0:  # the decoder skips the first milliseconds, checks exactly
            raise AudioTooLong(max_seconds, max_seconds, at_least=True)
    if not packets:
        raise AudioUnreadable("The MP4 file holds no audio packets.")
    return opus_stream(_head(body, track), packets)


def _has(boxes: list[_Box], name: bytes) -> bool:
    return any(box.name == name for box in boxes)


def _boxes(body: bytes) -> Iterator[_Box]:
    """All boxes in the order of the file; those that hold others come before them."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(body):
            return
        size, name = struct.unpack_from(">I4s", body, at)
        start = at + 8
        if size == 1 and start + 8 <= len(body):
            (size,) = struct.unpack_from(">Q", body, start)
            start += 8
        end = len(body) if size == 0 else at + max(size, start - at)
        yield _Box(name, at, start, min(end, len(body)))
        at = start if name in _ENTERED else end
    raise AudioUnreadable(f"The MP4 file has more than {_MOST_BOXES:,} boxes.")


def _tracks(body: bytes, boxes: list[_Box]) -> list[_Track]:
    tracks: list[_Track] = []
    for box in boxes:
        if box.name == b"trak":
            tracks.append(_Track())
        elif box.name == b"moof":
            break
        elif tracks:
            tracks[-1].tables.setdefault(box.name, box)
    for track in tracks:
        track.is_sound = body[_at(track, b"hdlr", 8) : _at(track, b"hdlr", 12)] == b"soun"
        header = track.tables.get(b"tkhd")
        if header is not None and header.end - header.start >= 24:
            version_1 = body[header.start] == 1
            (track.number,) = struct.unpack_from(">I", body, header.start + (20 if version_1 else 12))
    return [track for track in tracks if track.is_sound]


def _at(track: _Track, name: bytes, offset: int) -> int:
    box = track.tables.get(name)
    return box.start + offset if box is not None else 0


def _codec(body: bytes, track: _Track) -> bytes:
    """The four letters of the first sample description."""
    at = _at(track, b"stsd", 12)
    return body[at : at + 4] if at else b""


def _received(body: bytes, boxes: list[_Box], tracks: list[_Track]) -> str:
    """For messages: kind of file, codec, and the line that converts it."""
    brand = next((body[box.start : box.start + 4] for box in boxes if box.name == b"ftyp"), b"qt  ")
    kind, ending = _BRANDS.get(brand) or _BRANDS.get(brand[:3]) or ("MP4", "mp4")
    codec = _codec(body, tracks[0])
    name = _NAMES.get(codec) or repr(codec.decode("ascii", "replace"))
    if codec == b"mp4a" and _object_type(body, tracks[0]) in _MP3_IN_MP4A:
        name = "MP3"
    return as_wav(f"{kind} with {name}", ending)


def _object_type(body: bytes, track: _Track) -> int:
    """ISO/IEC 14496-1: the object type of the decoder's configuration, tag 4 in the box ``esds``."""
    box = track.tables[b"stsd"]
    at = body.find(b"esds", box.start, box.end)
    tag = body.find(b"\x04", at + 12, box.end) if at >= 0 else -1
    while 0 <= tag < box.end - 1 and body[tag + 1] & 0x80:
        tag += 1
    return body[tag + 2] if 0 <= tag < box.end - 2 else 0


def _head(body: bytes, track: _Track) -> bytes:
    """From the box ``dOps``: version, channels, pre-skip, input rate, gain, mapping."""
    box = track.tables[b"stsd"]
    at = body.find(b"dOps", box.start, box.end) + 4
    if at < 4 or at + 11 > box.end:
        raise AudioUnreadable("The MP4 file has Opus without its header (dOps).")
    _, channels, pre_skip, rate, gain, mapping = struct.unpack_from(">BBHIhB", body, at)
    if mapping != 0 or not 1 <= channels <= 2:
        raise AudioFormatUnsupported(f"MP4 with Opus of {channels} channels", "Opus of one or two channels")
    return opus_head(channels, pre_skip, rate, gain)


def _table(body: bytes, track: _Track, names: tuple[bytes, ...], columns: int, skip: int = 4) -> npt.NDArray[np.int64]:
    """Rows of a table box, shape [rows, columns], as many as are there; ``skip`` bytes stand before their number."""
    box = next((track.tables[name] for name in names if name in track.tables), None)
    if box is None or box.end < box.start + skip + 4:
        return np.zeros((0, columns), np.int64)
    (count,) = struct.unpack_from(">I", body, box.start + skip)
    width = 8 if box.name == b"co64" else 4
    start = box.start + skip + 4
    rows = min(count, (box.end - start) // (width * columns), _MOST_PACKETS)
    values = np.frombuffer(body, f">u{width}", rows * columns, start)
    return np.minimum(values.astype(np.uint64), np.uint64(1 << 62)).astype(np.int64).reshape(rows, columns)


def _samples(body: bytes, track: _Track) -> Iterator[tuple[int, int]]:
    """Place and size of each sample, by the tables of an unfragmented file."""
    sizes = _table(body, track, (b"stsz",), 1, skip=8)[:, 0].tolist()
    chunks = _table(body, track, (b"stco", b"co64"), 1)[:, 0].tolist()
    runs = _table(body, track, (b"stsc",), 3).tolist()
    at_stsz = _at(track, b"stsz", 4)
    fixed = struct.unpack_from(">I", body, at_stsz)[0] if at_stsz and at_stsz + 4 <= len(body) else 0
    sample, run = 0, 0
    for number, place in enumerate(chunks, start=1):
        while run + 1 < len(runs) and runs[run + 1][0] <= number:
            run += 1
        for _ in range(min(runs[run][1], _MOST_PACKETS) if runs else 0):
            if not fixed and sample >= len(sizes):
                return
            size = fixed or sizes[sample]
            yield place, size
            place, sample = place + size, sample + 1


def _fragments(body: bytes, boxes: list[_Box], track: _Track) -> Iterator[tuple[int, int]]:
    """Place and size of each sample, by the runs of the fragments."""
    moof, ours, base, place, size = 0, False, 0, 0, 0
    for box in boxes:
        words = struct.unpack_from(f">{min((box.end - box.start) // 4, 8)}I", body, box.start)
        if box.name == b"moof":
            moof = box.at
        elif box.name == b"trex" and len(words) >= 5 and words[1] == track.number:
            size = words[4]
        elif box.name == b"tfhd" and len(words) >= 2:
            ours, base = words[1] == track.number, moof
            place = moof
            base, size = _header(body, box, words[0], base, size)
        elif box.name == b"trun" and ours and len(words) >= 2:
            flags, count = words[0] & 0xFFFFFF, words[1]
            at = box.start + 8
            if flags & 0x1 and at + 4 <= box.end:
                place = base + struct.unpack_from(">i", body, at)[0]
            at += 4 * ((flags & 0x1) + (flags >> 2 & 1))
            for found in _run_sizes(body, box, at, flags, count, size):
                yield max(place, 0), found
                place += found


def _header(body: bytes, box: _Box, word: int, base: int, size: int) -> tuple[int, int]:
    """Base offset and default size by a track fragment's header, whose optional fields stand in the order of flags."""
    at = box.start + 8
    for flag, width in ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4)):
        if word & flag and at + width <= box.end:
            value = int.from_bytes(body[at : at + width], "big")
            base = value if flag == 0x1 else base
            size = value if flag == 0x10 else size
            at += width
    return base, size


def _run_sizes(body: bytes, box: _Box, at: int, flags: int, count: int, default: int) -> Iterator[int]:
    """A sample's row in a run has duration, size, flags and composition offset, each if its flag is set."""
    row = 4 * bin(flags & 0xF00).count("1")
    size_at = 4 * bool(flags & 0x100)
    rows = min(count, _MOST_PACKETS, (box.end - at) // row if row else count)
    for number in range(rows):
        yield struct.unpack_from(">I", body, at + number * row + size_at)[0] if flags & 0x200 else default
