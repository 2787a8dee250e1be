"""The archive file: a passphrase, scrypt and AES-256-GCM around a stream of any length; memory stays at one chunk.

    magic        8 bytes, ``TIMBREAR``
    length       4 bytes, big-endian: of the header
    header       JSON: format version, the parameters of scrypt, the size of a chunk
    chunks       each sealed alone: ``chunkBytes`` of plain text (the last one: at most so many) and a tag of 16 bytes

A chunk's nonce is its number (11 bytes, big-endian, from 0) and one byte that is 1 in the last chunk only; everything
before the chunks is the associated data of each. So a chunk that is changed, moved, left out or put behind the end does
not open, and neither does a file that was cut, whose last chunk does not know that it is the last. The construction is
STREAM (Hoang, Reyhanitabar, Rogaway, Vizar, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", CRYPTO 2015). Each file has a salt and so a key of its own: the nonces need not be random.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC: Final = b"TIMBREAR"
VERSION: Final = 1
COST: Final = 2**17
"""scrypt's N: 128 MiB and about half a second for each guess (OWASP's password storage sheet, 2023)."""

CHUNK_BYTES: Final = 1024 * 1024
TAG_BYTES: Final = 16
_MAX_HEADER: Final = 4096
_COSTS: Final = (2**14, 2**20)
_CHUNKS: Final = (1024, 16 * 1024 * 1024)
"""What a header may ask for: no file makes the reader take more than 1 GiB for the key or 16 MiB for a chunk."""


class ArchiveRefused(Exception):
    """The file is not an archive, was cut or changed, or the passphrase is another one."""


@dataclass(frozen=True)
class _Lock:
    """What opens and closes the chunks of one file."""

    cipher: AESGCM
    opening: bytes
    chunk_bytes: int

    @classmethod
    def of(cls, passphrase: bytes, header: bytes, cost: int, salt: bytes, chunk_bytes: int) -> _Lock:
        key = Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase)
        return cls(AESGCM(key), MAGIC + len(header).to_bytes(4, "big") + header, chunk_bytes)

    def seal(self, number: int, plain: bytes, *, last: bool) -> bytes:
        return self.cipher.encrypt(_nonce(number, last), plain, self.opening)

    def open(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        return self.cipher.decrypt(_nonce(number, last), sealed, self.opening)


class ArchiveWriter:
    """Writes to an open file. Without ``close`` the file is a cut one."""

    def __init__(self, file: BinaryIO, passphrase: bytes, *, cost: int = COST, chunk_bytes: int = CHUNK_BYTES) -> None:
        salt = os.urandom(16)
        kdf = {"name": "scrypt", "n": cost, "r": 8, "p": 1, "salt": base64.b64encode(salt).decode()}
        header = json.dumps({"version": VERSION, "kdf": kdf, "cipher": "AES-256-GCM", "chunkBytes": chunk_bytes})
        self._lock = _Lock.of(passphrase, header.encode(), cost, salt, chunk_bytes)
        self._file, self._number, self._pending = file, 0, bytearray()
        file.write(self._lock.opening)

    def write(self, plain: bytes) -> None:
        self._pending += plain
        size = self._lock.chunk_bytes
        while len(self._pending) > size:  # never all of it: the last chunk is known at the end only
            self._put(bytes(self._pending[:size]), last=False)
            del self._pending[:size]

    def close(self) -> None:
        self._put(bytes(self._pending), last=True)

    def _put(self, plain: bytes, *, last: bool) -> None:
        self._file.write(self._lock.seal(self._number, plain, last=last))
        self._number += 1


def opened(file: BinaryIO, passphrase: bytes) -> Iterator[bytes]:
    """The plain text, chunk by chunk. Raises ``ArchiveRefused``, at the latest where the file ends too early.

    What came before it is authentic, but not the whole.
    """
    lock = _read_header(file, passphrase)
    size = lock.chunk_bytes + TAG_BYTES
    number, sealed = 0, file.read(size)
    while True:
        following = file.read(size)
        last = not following
        try:
            plain = lock.open(number, sealed, last=last)
        except InvalidTag:
            if number == 0:
                raise ArchiveRefused("The passphrase is another one, or the file was changed or cut.") from None
            raise ArchiveRefused(f"The file was changed or cut: chunk {number} is not as it was written.") from None
        yield plain
        if last:
            return
        number, sealed = number + 1, following


def lines(file: BinaryIO, passphrase: bytes) -> Iterator[bytes]:
    """The lines of the plain text. Raises ``ArchiveRefused``."""
    rest = bytearray()
    for chunk in opened(file, passphrase):
        start = len(rest)
        rest += chunk
        while (end := rest.find(b"\n", start)) >= 0:
            yield bytes(rest[:end])
            del rest[: end + 1]
            start = 0
    if rest:
        raise ArchiveRefused("The archive ends in the middle of a line.")


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _read_header(file: BinaryIO, passphrase: bytes) -> _Lock:
    if file.read(len(MAGIC)) != MAGIC:
        raise ArchiveRefused("This is no archive of Timbre.")
    length = int.from_bytes(file.read(4), "big")
    if not 0 < length <= _MAX_HEADER:
        raise ArchiveRefused("The archive's header is broken.")
    header = file.read(length)
    try:
        said = json.loads(header)
        version, kdf, chunk_bytes = said["version"], said["kdf"], said["chunkBytes"]
        cost, salt = kdf["n"], base64.b64decode(kdf["salt"], validate=True)
        known = (kdf["name"], kdf["r"], kdf["p"], said["cipher"]) == ("scrypt", 8, 1, "AES-256-GCM")
    except (ValueError, KeyError, TypeError):
        raise ArchiveRefused("The archive's header is broken.") from None
    if version != VERSION or not known:
        raise ArchiveRefused(f"The archive's format is not version {VERSION}: read it with the release that wrote it.")
    if not (_within(cost, _COSTS) and cost & (cost - 1) == 0 and _within(chunk_bytes, _CHUNKS) and len(salt) == 16):
        raise ArchiveRefused("The archive's header is broken.")
    return _Lock.of(passphrase, header, cost, salt, chunk_bytes)


def _within(number: object, bounds: tuple[int, int]) -> bool:
    return type(number) is int and bounds[0] <= number <= bounds[1]
