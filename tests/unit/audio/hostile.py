"""Bodies that are made to hurt: Vorbis setup headers whose codebooks are small in the file and large in memory."""

from __future__ import annotations

import struct

from shared.audio.containers.ogg import checksum


class Bits:
    """Vorbis packs from the lowest bit on."""

    def __init__(self) -> None:
        self._value = self._count = 0

    def add(self, value: int, bits: int) -> None:
        self._value |= value << self._count
        self._count += bits

    def content(self) -> bytes:
        return self._value.to_bytes((self._count + 7) // 8, "little")


def vorbis(books: int, entry_bits: int, length: int) -> bytes:
    """An Ogg file of headers alone: ``books`` ordered codebooks of 2^``entry_bits`` entries, all of one code length."""
    setup = Bits()
    setup.add(books - 1, 8)
    for _ in range(books):
        setup.add(0x564342, 24)
        setup.add(1, 16)  # dimensions
        setup.add(1 << entry_bits, 24)
        setup.add(1, 1)  # ordered
        setup.add(length - 1, 5)
        setup.add(1 << entry_bits, entry_bits + 1)  # so many of this length
        setup.add(0, 4)  # no lookup
    for value, bits in (
        (0, 6), (0, 16),  # time
        (0, 6), (1, 16), (0, 5), (0, 2), (4, 4),  # one floor of type 1 without partitions
        (0, 6), (2, 16), (0, 24), (0, 24), (0, 24), (0, 6), (0, 8), (0, 4),  # one residue
        (0, 6), (0, 16), (0, 1), (0, 1), (0, 2), (0, 8), (0, 8), (0, 8),  # one mapping
        (0, 6), (0, 1), (0, 16), (0, 16), (0, 8), (1, 1),  # one mode, framing
    ):  # fmt: skip
        setup.add(value, bits)
    first = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 1, 16_000, 0, 16_000, 0, 0xB8, 1)
    comment = b"\x03vorbis" + struct.pack("<IIB", 0, 0, 1)
    return _page(first, 0, 2) + _page(comment, 1) + _pages(b"\x05vorbis" + setup.content(), 2)


def _pages(packet: bytes, number: int) -> bytes:
    lacing = b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,))
    return _page(packet, number, lacing=lacing)


def _page(packet: bytes, number: int, flags: int = 0, lacing: bytes | None = None) -> bytes:
    lacing = bytes((len(packet),)) if lacing is None else lacing
    header = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 0, 1, number, 0, len(lacing))
    page = bytearray(header + lacing + packet)
    struct.pack_into("<I", page, 22, checksum(bytes(page)))
    return bytes(page)
