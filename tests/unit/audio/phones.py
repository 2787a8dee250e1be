"""MP4 and CAF as phones and browsers write them, which soundfile does not."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise


def box(name: bytes, *content: bytes) -> bytes:
    joined = b"".join(content)
    return struct.pack(">I4s", 8 + len(joined), name) + joined


def full(name: bytes, *content: bytes, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", flags), *content)


def dops(head: bytes) -> bytes:
    """The box ``dOps`` of an ``OpusHead``."""
    channels, pre_skip, rate, gain, mapping = struct.unpack_from("<BHIhB", head, 9)
    return box(b"dOps", struct.pack(">BBHIhB", 0, channels, pre_skip, rate, gain, mapping))


def description(codec: bytes, inner: bytes, channels: int = 1, rate: int = 48_000) -> bytes:
    entry = bytes(6) + struct.pack(">H8xHHII", 1, channels, 16, 0, rate << 16) + inner
    return full(b"stsd", struct.pack(">I", 1), box(codec, entry))


def same_size(packets: Sequence[bytes]) -> int:
    """Bytes of every packet, which tables then say once; 0 where they differ."""
    return len(packets[0]) if len({len(packet) for packet in packets}) == 1 and len(packets) > 1 else 0


def track(stsd: bytes, *tables: bytes, number: int = 1, handler: bytes = b"soun") -> bytes:
    tkhd = full(b"tkhd", struct.pack(">8xI", number), bytes(64))
    hdlr = full(b"hdlr", bytes(4), handler, bytes(13))
    return box(b"trak", tkhd, box(b"mdia", hdlr, box(b"minf", box(b"stbl", stsd, *tables))))


def mp4(
    stsd: bytes, packets: Sequence[bytes], *, brand: bytes = b"isom", chunk: int = 7, moov_first: bool = False
) -> bytes:
    """Unfragmented: two packets, then ``chunk`` in a chunk; a phone writes the header behind the data."""
    ftyp = box(b"ftyp", brand, bytes(4), b"isom")
    edges = [0, *range(2, len(packets), chunk), len(packets)]
    chunks = [packets[start:end] for start, end in pairwise(edges)]

    def moov(start: int) -> bytes:
        places = [start + sum(map(len, packets[:edge])) for edge in edges[:-1]]
        runs = [(number, len(chunks[number - 1]), 1) for number in sorted({1, 2, len(chunks)} - {len(chunks) + 1})]
        stsc = full(b"stsc", struct.pack(">I", len(runs)), *(struct.pack(">III", *run) for run in runs))
        same = same_size(packets)
        each = () if same else [struct.pack(">I", len(packet)) for packet in packets]
        stsz = full(b"stsz", struct.pack(">II", same, len(packets)), *each)
        stco = full(b"stco", struct.pack(">I", len(places)), *(struct.pack(">I", place) for place in places))
        video = track(description(b"avc1", b""), number=2, handler=b"vide")
        return box(b"moov", full(b"mvhd", bytes(96)), video, track(stsd, stsc, stsz, stco))

    mdat = box(b"mdat", *packets)
    if moov_first:
        return ftyp + moov(len(ftyp) + len(moov(0)) + 8) + mdat
    return ftyp + mdat + moov(len(ftyp) + 8)


def fragmented(stsd: bytes, packets: Sequence[bytes], *, fragment: int = 10) -> bytes:
    """As MediaRecorder writes it: an empty header, then fragments of packets."""
    trex = full(b"trex", struct.pack(">IIIII", 1, 1, 960, same_size(packets), 0))
    body = box(b"ftyp", b"iso5", bytes(4), b"iso5") + box(b"moov", track(stsd), box(b"mvex", trex))
    for start in range(0, len(packets), fragment):
        body += piece(packets[start : start + fragment], same=bool(same_size(packets)))
    return body


def piece(packets: Sequence[bytes], *, same: bool = False) -> bytes:
    sizes = b"" if same else b"".join(struct.pack(">I", len(packet)) for packet in packets)

    def moof(offset: int) -> bytes:
        tfhd = full(b"tfhd", struct.pack(">I", 1), flags=0x020000)
        trun = full(b"trun", struct.pack(">Ii", len(packets), offset), sizes, flags=0x201 if sizes else 0x001)
        return box(b"moof", full(b"mfhd", bytes(4)), box(b"traf", tfhd, trun))

    return moof(len(moof(0)) + 8) + box(b"mdat", *packets)


def caf(codec: bytes, *chunks: tuple[bytes, bytes, int | None], packet_bytes: int = 0, frames: int = 960) -> bytes:
    """``chunks``: name, content, and the size that the header promises, where it is another; ``packet_bytes`` and
    ``frames`` of every packet, 0 where they differ."""
    layout = struct.pack(">d4sIIIII", 48_000.0, codec, 0, packet_bytes, frames, 1, 0)
    body = b"caff\0\1\0\0"
    for name, content, promised in ((b"desc", layout, None), *chunks):
        body += name + struct.pack(">q", len(content) if promised is None else promised) + content
    return body


def packet_table(packets: Sequence[bytes], priming: int = 312, *, sizes: bool = True, frames: bool = False) -> bytes:
    numbers = [number for packet in packets for number in [len(packet)] * sizes + [960] * frames]
    written = b"".join(bytes((number >> 7 | 0x80, number & 0x7F) if number > 127 else (number,)) for number in numbers)
    return struct.pack(">qqii", len(packets), 960 * len(packets), priming, 0) + written
