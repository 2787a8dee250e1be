"""The archive file: what went in comes out, in bounded pieces, and nothing else ever does."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.portability import archive as module
from tools.portability.archive import MAGIC, TAG_BYTES, ArchiveRefused, ArchiveWriter, lines, opened

PASSPHRASE = b"a long and quiet afternoon"
COST, CHUNK = 2**4, 1024


@pytest.fixture(scope="module", autouse=True)
def cheap_keys() -> Iterator[None]:
    """A key derived at the least cost that a file may ask for takes 30 ms, hundreds of times here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_COSTS", (COST, 2**20))
        yield


def archive(plain: bytes) -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, PASSPHRASE, cost=COST, chunk_bytes=CHUNK)
    writer.write(plain)
    writer.close()
    return file.getvalue()


def content(sealed: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    return b"".join(opened(io.BytesIO(sealed), passphrase))


def header_end(sealed: bytes) -> int:
    return len(MAGIC) + 4 + int.from_bytes(sealed[8:12], "big")


THREE = bytes(number % 251 for number in range(3 * CHUNK))


@cache
def sealed_archive(size: int) -> bytes:
    return archive(THREE[:size])


WHOLE_CHUNKS, LESS = 3 * CHUNK, 3 * CHUNK - 100


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_written_is_read_in_pieces_no_larger_than_a_chunk(size: int) -> None:
    pieces = list(opened(io.BytesIO(archive(THREE[:size])), PASSPHRASE))
    assert b"".join(pieces) == THREE[:size]
    assert all(len(piece) <= CHUNK for piece in pieces)


def test_lines_may_be_longer_than_a_chunk_and_end_with_the_archive() -> None:
    written = [b"a" * 10, b"b" * 3 * CHUNK, b"", b"c"]
    assert list(lines(io.BytesIO(archive(b"\n".join(written) + b"\n")), PASSPHRASE)) == written
    with pytest.raises(ArchiveRefused, match="middle of a line"):
        list(lines(io.BytesIO(archive(b"one\ntwo")), PASSPHRASE))


def test_another_passphrase_opens_nothing_and_two_archives_have_nothing_in_common() -> None:
    first, second = sealed_archive(WHOLE_CHUNKS), archive(THREE)
    with pytest.raises(ArchiveRefused, match="passphrase is another one"):
        content(first, b"another afternoon")
    assert first[header_end(first) :] != second[header_end(second) :]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([WHOLE_CHUNKS, LESS]), st.data())
def test_a_file_cut_or_changed_anywhere_is_refused(size: int, data: st.DataObject) -> None:
    sealed = sealed_archive(size)
    place = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytes([sealed[place] ^ data.draw(st.integers(1, 255))])
    for changed in (sealed[:place], sealed[:place] + flipped + sealed[place + 1 :]):
        with pytest.raises(ArchiveRefused):
            content(changed)


@pytest.mark.parametrize("plain_size", [WHOLE_CHUNKS, LESS])
def test_chunks_that_end_early_change_places_or_are_followed_by_more_are_refused(plain_size: int) -> None:
    sealed = sealed_archive(plain_size)
    start, size = header_end(sealed), CHUNK + TAG_BYTES
    head, body = sealed[:start], sealed[start:]
    first, second, rest = body[:size], body[size : 2 * size], body[2 * size :]
    for changed in (b"", first, first + second, first + rest, second + first + rest, first + second + rest + b"y"):
        with pytest.raises(ArchiveRefused):
            content(head + changed)


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
