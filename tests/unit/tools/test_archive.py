"""The archive file: what went in comes out, in bounded pieces, and nothing else ever does."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from tools.portability.archive import MAGIC, TAG_BYTES, ArchiveRefused, ArchiveWriter, lines, opened

PASSPHRASE = b"a long and quiet afternoon"
COST, CHUNK = 2**14, 1024


def archive(plain: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, passphrase, cost=COST, chunk_bytes=CHUNK)
    writer.write(plain)
    writer.close()
    return file.getvalue()


def content(sealed: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    return b"".join(opened(io.BytesIO(sealed), passphrase))


def header_end(sealed: bytes) -> int:
    return len(MAGIC) + 4 + int.from_bytes(sealed[8:12], "big")


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_was_written_is_read(size: int) -> None:
    plain = bytes(number % 251 for number in range(size))
    assert content(archive(plain)) == plain


def test_pieces_are_never_larger_than_a_chunk() -> None:
    pieces = list(opened(io.BytesIO(archive(b"x" * 5 * CHUNK)), PASSPHRASE))
    assert max(len(one) for one in pieces) == CHUNK


def test_lines_may_be_longer_than_a_chunk() -> None:
    said = [b"a" * 10, b"b" * 3 * CHUNK, b"", b"c"]
    assert list(lines(io.BytesIO(archive(b"\n".join(said) + b"\n")), PASSPHRASE)) == said


def test_half_a_line_at_the_end_is_refused() -> None:
    with pytest.raises(ArchiveRefused, match="middle of a line"):
        list(lines(io.BytesIO(archive(b"one\ntwo")), PASSPHRASE))


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(ArchiveRefused, match="passphrase is another one"):
        content(archive(b"secret"), b"another afternoon")


def test_two_archives_of_the_same_have_nothing_in_common() -> None:
    one, other = archive(b"same" * 100), archive(b"same" * 100)
    assert one[header_end(one) :] != other[header_end(other) :]


def chunks(sealed: bytes) -> Iterator[tuple[int, int]]:
    size = CHUNK + TAG_BYTES
    for start in range(header_end(sealed), len(sealed), size):
        yield start, min(start + size, len(sealed))


@pytest.mark.parametrize("length", ["whole chunks", "less"])
def test_a_file_cut_anywhere_is_refused(length: str) -> None:
    sealed = archive(b"x" * (3 * CHUNK + (0 if length == "whole chunks" else 100)))
    ends = [end for _, end in chunks(sealed)][:-1]
    for end in [*ends, *(one + 5 for one in ends), len(sealed) - 1, header_end(sealed), header_end(sealed) - 3, 4, 0]:
        with pytest.raises(ArchiveRefused):
            content(sealed[:end])


def test_chunks_in_another_order_are_refused() -> None:
    sealed = archive(b"".join(bytes([number]) * CHUNK for number in range(3)))
    (first, second), (third, fourth), *_ = chunks(sealed)
    swapped = sealed[:first] + sealed[third:fourth] + sealed[first:second] + sealed[fourth:]
    assert len(swapped) == len(sealed)
    with pytest.raises(ArchiveRefused):
        content(swapped)


def test_something_behind_the_end_is_refused() -> None:
    with pytest.raises(ArchiveRefused):
        content(archive(b"x" * CHUNK) + b"y")


def test_every_changed_byte_is_noticed() -> None:
    sealed = archive(b"x" * 100)
    for place in range(0, len(sealed), 17):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(ArchiveRefused):
            content(bytes(changed))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"cipher": "none"},
        {"chunkBytes": 10**12},
        {"chunkBytes": True},
        {"kdf": {"name": "scrypt", "n": 2**30, "r": 8, "p": 1, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}},
        {"kdf": {"name": "scrypt", "n": 2**14 + 1, "r": 8, "p": 1, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}},
        {"kdf": {"name": "scrypt", "n": 2**14, "r": 8, "p": 1, "salt": "AAAA"}},
        {"kdf": None},
    ],
)
def test_a_header_that_asks_for_anything_else_is_refused_before_any_work(change: dict[str, object]) -> None:
    sealed = archive(b"x")
    header = json.loads(sealed[12 : header_end(sealed)])
    changed = json.dumps({**header, **change}).encode()
    with pytest.raises(ArchiveRefused):
        content(MAGIC + len(changed).to_bytes(4, "big") + changed + sealed[header_end(sealed) :])
