"""Opus out of MP4, as Safari's and Chrome's MediaRecorder write it, put into Ogg for libsndfile; other codecs by name.

What it buys: libsndfile knows no MP4, so that every recording of these recorders would be refused, without the codec's
name. What it costs: 190 lines. Boxes and sample tables, whole (``moov`` alone) and in fragments (``moof``): ISO/IEC
14496-12. Opus in MP4: the specification of opus-codec.org, version 0.8.1.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Final, NamedTuple

from shared.audio.containers.ogg import MOST_PACKETS, cut, opus_file, opus_head
from shared.audio.formats import later_piece, not_decoded
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable

_MOST_BOXES: Final = 200_000
"""A fragment has a dozen, and five minutes in fragments of a packet each have 15,000; more are no recording."""
_ENTERED: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"})
_TABLES: Final = frozenset({b"hdlr", b"tkhd", b"stsd", b"stsz", b"stco", b"co64", b"stsc"})
_RUNS: Final = frozenset({b"trex", b"tfhd", b"trun"})
_NAMES: Final = {
    b"mp4a": "AAC", b"alac": "ALAC", b"samr": "AMR-NB", b"sawb": "AMR-WB", b"sawp": "AMR-WB+", b"ac-3": "AC-3",
    b"ec-3": "E-AC-3", b"fLaC": "FLAC", b".mp3": "MP3", b"lpcm": "PCM", b"sowt": "PCM", b"twos": "PCM",
    b"ipcm": "PCM", b"ulaw": "mu-law", b"alaw": "A-law", b"enca": "an encrypted codec",
}  # fmt: skip
_MP3_IN_MP4A: Final = re.compile(rb"esds.{8}[^\x04]*\x04[\x80-\xff]*[\0-\x7f][\x69\x6b]", re.DOTALL)
"""ISO/IEC 14496-1: the object type of the decoder's configuration, tag 4 in the box ``esds``, is MPEG audio."""
_BRANDS: Final = {b"M4A": ("M4A", "m4a"), b"qt ": ("QuickTime", "mov"), b"3gp": ("3GP", "3gp"), b"3g2": ("3GP", "3gp")}


class _Box(NamedTuple):
    name: bytes
    at: int
    start: int
    end: int


_Track = defaultdict[bytes, bytes]
"""The contents of its boxes by name, empty where there is none."""


def opened(body: bytes, max_seconds: float) -> bytes:
    """The first Opus track as an Ogg file; a truncated recording gives what is there.

    Raises ``AudioFormatUnsupported`` with the codec that it is, ``AudioUnreadable``, and ``AudioTooLong`` as soon as
    the packets tell.
    """
    boxes = list(_boxes(body))
    names = {box.name for box in boxes}
    tracks = _tracks(body, boxes)
    if not tracks:
        if names & {b"moof", b"mdat", b"styp"} and b"ftyp" not in names:
            raise later_piece("MP4")
        raise AudioUnreadable("The MP4 file has no audio track, or was cut off before its header (moov).")
    track = next((track for track in tracks if _codec(track) == b"Opus"), None)
    if track is None:
        raise _other_codec(body, boxes, tracks[0])
    places = _fragments(body, boxes, _number(track)) if b"moof" in names else _samples(track)
    return opus_file(_head(track), cut(body, places, len(body)), "MP4", max_seconds)


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
    """Those of sound."""
    tracks: list[_Track] = []
    for box in takewhile(lambda box: box.name != b"moof", boxes):
        if box.name == b"trak":
            tracks.append(defaultdict(bytes))
        elif tracks and box.name in _TABLES:
            tracks[-1].setdefault(box.name, body[box.start : box.end])
    return [track for track in tracks if track[b"hdlr"][8:12] == b"soun"]


def _codec(track: _Track) -> bytes:
    """The four letters of the first sample description."""
    return track[b"stsd"][12:16]


def _number(track: _Track) -> bytes:
    """Its number, of four bytes."""
    at = 20 if track[b"tkhd"][:1] == b"\1" else 12
    return track[b"tkhd"][at : at + 4]


def _other_codec(body: bytes, boxes: list[_Box], track: _Track) -> AudioFormatUnsupported:
    """With the kind of file, and the line that converts it."""
    brand = next((body[box.start : box.start + 3] for box in boxes if box.name == b"ftyp"), b"qt ")
    kind, ending = _BRANDS.get(brand, ("MP4", "mp4"))
    name = _NAMES.get(_codec(track)) or repr(_codec(track).decode("ascii", "replace"))
    if _codec(track) == b"mp4a" and _MP3_IN_MP4A.search(track[b"stsd"]):
        name = "MP3"
    return not_decoded(f"{kind} with {name}", ending, "MP4 with Opus")


def _head(track: _Track) -> bytes:
    """From the box ``dOps``: version, channels, pre-skip, input rate, gain, mapping."""
    _, found, box = track[b"stsd"].partition(b"dOps")
    if not found or len(box) < 11:
        raise AudioUnreadable("The MP4 file has Opus without its header (dOps).")
    _, channels, pre_skip, rate, gain, mapping = struct.unpack_from(">BBHIhB", box)
    if mapping != 0 or not 1 <= channels <= 2:
        raise AudioFormatUnsupported(f"MP4 with Opus of {channels} channels", "Opus of one or two channels")
    return opus_head(channels, pre_skip, rate, gain)


def _rows(table: bytes, layout: str, skip: int = 4) -> Iterator[tuple[int, ...]]:
    """As many as are there; ``skip`` bytes stand before their number."""
    count = int.from_bytes(table[skip : skip + 4], "big")
    whole = len(table[skip + 4 :]) // struct.calcsize(layout) * struct.calcsize(layout)
    return islice(struct.iter_unpack(layout, table[skip + 4 : skip + 4 + whole]), min(count, MOST_PACKETS))


def _samples(track: _Track) -> Iterator[tuple[int, int]]:
    """Place and size of each sample, by the tables of an unfragmented file."""
    fixed = int.from_bytes(track[b"stsz"][4:8], "big")
    sizes = _rows(track[b"stsz"], ">I", skip=8)
    chunks = _rows(track[b"stco"], ">I") if b"stco" in track else _rows(track[b"co64"], ">Q")
    runs = {first: samples for first, samples, _ in _rows(track[b"stsc"], ">III")}
    count = next(iter(runs.values()), 0)
    for number, (place,) in enumerate(chunks, start=1):
        count = runs.get(number, count)
        for _ in range(min(count, MOST_PACKETS)):
            size = fixed or next(sizes, (0,))[0]
            yield place, size
            place += size


def _fragments(body: bytes, boxes: list[_Box], number: bytes) -> Iterator[tuple[int, int]]:
    """Place and size of each sample of a track, by the runs of the fragments."""
    moof, ours, base, place, usual, size = 0, False, 0, 0, 0, 0
    for box in boxes:
        content = body[box.start : box.end] if box.name in _RUNS else b""
        if box.name == b"moof":
            moof = box.at
        elif box.name == b"trex" and content[4:8] == number:
            usual = int.from_bytes(content[16:20], "big")
        elif box.name == b"tfhd":
            ours, place = content[4:8] == number, moof
            base, size = _header(content, moof, usual)
        elif box.name == b"trun" and ours and len(content) >= 8:
            if content[3] & 0x1:
                place = base + int.from_bytes(content[8:12], "big", signed=True)
            for sample in _run_sizes(content, size):
                yield max(place, 0), sample
                place += sample


def _header(content: bytes, base: int, size: int) -> tuple[int, int]:
    """Base offset and default size by a track fragment's header, whose optional fields stand in the order of flags."""
    at = 8
    for flag, width in ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4)):
        if content[3:4] and content[3] & flag:
            value = int.from_bytes(content[at : at + width], "big")
            base = value if flag == 0x1 else base
            size = value if flag == 0x10 else size
            at += width
    return base, size


def _run_sizes(content: bytes, default: int) -> Iterator[int]:
    """A sample's row in a run has duration, size, flags and composition offset, each if its flag is set."""
    flags, count = struct.unpack_from(">II", content)
    start = 8 + 4 * ((flags & 0x1) + (flags >> 2 & 1))
    row = 4 * (flags & 0xF00).bit_count()
    rows = min(count, MOST_PACKETS, (len(content) - start) // row if row else count)
    for number in range(rows):
        at = start + number * row + 4 * bool(flags & 0x100)
        yield int.from_bytes(content[at : at + 4], "big") if flags & 0x200 else default
