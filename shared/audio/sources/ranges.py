"""Ranges of one file on another host, each by a request of its own: what comes back is trusted in nothing.

Every request has a deadline over all of it (name, connection, TLS, headers, body), counts its bytes, follows no
redirect, knows no proxy and sends nothing of ours but the range. ``If-Match`` holds all of them to one version.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, BinaryIO, Final, cast

from shared.audio.sources.addresses import Address, Resolver, addresses_of, resolved
from shared.domain.errors import (
    SourceChanged,
    SourceExpired,
    SourceRedirects,
    SourceTooLarge,
    SourceUnavailable,
    SourceWithoutRanges,
)
from shared.domain.limits import LONG_RECORDING_BYTES, SOURCE_SECONDS
from shared.domain.recording_url import RecordingUrl

_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_STRONG_ETAG: Final = re.compile(r'"[!#-~]{0,256}"')
_GONE: Final = frozenset({401, 403, 404, 410})
_PASSING: Final = frozenset({408, 425, 429})
"""And everything from 500: worth another try."""


@dataclass(frozen=True)
class Version:
    """Which content all ranges must be of."""

    etag: str = field(repr=False)
    size: int


@cache
def _system_tls() -> ssl.SSLContext:
    """With the system's authorities, which take 20 ms to read."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class RangeReader:
    """``tls`` makes the context that checks certificates. The parameters are for tests; each default is the system's.

    ``environment`` says where the platform gives out the app's own tokens, which is never dialled.
    """

    resolver: Resolver = resolved
    tls: Callable[[], ssl.SSLContext] = _system_tls
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    seconds: float = SOURCE_SECONDS
    monotonic: Callable[[], float] = time.monotonic

    def read(self, url: RecordingUrl, start: int, count: int, of: Version | str | None = None) -> tuple[bytes, Version]:
        """``count`` bytes from ``start``, or up to the end, and the version that they are of.

        ``of`` is what they must be of: a version, or an ETag where the size is not known yet. Raises ``SourceFailed``.
        """
        etag = of.etag if isinstance(of, Version) else of
        remaining = _remaining(self.monotonic, self.monotonic() + self.seconds)
        headers = {
            "Range": f"bytes={start}-{start + count - 1}",
            "Accept-Encoding": "identity",
            "User-Agent": "Timbre",
            "Connection": "close",
            **({"If-Match": etag} if etag else {}),
        }
        connection = _Connection(url, partial(self._dial, url, remaining))
        try:
            connection.request("GET", url.target, headers=headers)
            response = connection.getresponse()
            version = _checked(response, start, count, of)
            content = _exactly(response, min(count, version.size - start))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceUnavailable from error
        finally:
            connection.end()
        return content, version

    def _dial(self, url: RecordingUrl, remaining: Callable[[], float]) -> _Wire:
        """To an address that was judged; its name is not asked for again. Raises ``OSError``, ``SourceFailed``."""
        addresses = addresses_of(url, self.resolver, self.environment)
        for number, address in enumerate(addresses, start=1):
            try:
                plain = _connected(address, url.port, remaining())
            except OSError:
                if number == len(addresses):
                    raise
                continue
            return _Wire(self._secured(plain, url, remaining) if url.secure else plain, remaining)
        raise SourceUnavailable

    def _secured(self, plain: socket.socket, url: RecordingUrl, remaining: Callable[[], float]) -> ssl.SSLSocket:
        try:
            secured = self.tls().wrap_socket(plain, server_hostname=url.host.strip("[]"), do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        try:
            secured.settimeout(remaining())
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured


def _connected(address: Address, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((str(address), port), timeout=seconds)


def _remaining(monotonic: Callable[[], float], deadline: float) -> Callable[[], float]:
    def remaining() -> float:
        """Seconds; raises ``TimeoutError`` when there are none."""
        if (left := deadline - monotonic()) <= 0.0:
            raise TimeoutError
        return left

    return remaining


class _Connection(http.client.HTTPConnection):
    """Over a wire that ``dial`` connects: the standard one resolves the name itself, and counts no time overall."""

    def __init__(self, url: RecordingUrl, dial: Callable[[], _Wire]) -> None:
        super().__init__(url.host, url.port)
        self.default_port = 443 if url.secure else 80  # for the Host header
        self._dial = dial
        self._wire: _Wire | None = None

    def connect(self) -> None:
        self._wire = self._dial()
        self.sock = cast(socket.socket, self._wire)

    def end(self) -> None:
        """``close`` is called when an answer has begun that is to be the last, and leaves the wire to it."""
        self.close()
        if self._wire:
            self._wire.end()


class _Wire:
    """What ``http.client`` uses of a socket, each call within what remains of the request's time."""

    def __init__(self, plain: socket.socket, remaining: Callable[[], float]) -> None:
        self._socket, self._remaining = plain, remaining

    def sendall(self, data: Any) -> None:
        self._socket.settimeout(self._remaining())
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> BinaryIO:
        return io.BufferedReader(_Incoming(self._socket, self._remaining))

    def close(self) -> None:
        """By ``http.client``, while the answer is still to be read."""

    def end(self) -> None:
        self._socket.close()


class _Incoming(io.RawIOBase):
    def __init__(self, plain: socket.socket, remaining: Callable[[], float]) -> None:
        self._socket, self._remaining = plain, remaining

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(self._remaining())
        return self._socket.recv_into(buffer)


def _checked(response: http.client.HTTPResponse, start: int, count: int, of: Version | str | None) -> Version:
    """The version that the answer's headers say it is of. Raises ``SourceFailed``."""
    _check_status(response.status)
    etag = response.headers.get("ETag", "")
    if not _STRONG_ETAG.fullmatch(etag):
        raise SourceWithoutRanges("its host names no version of it (a strong ETag).")
    said = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if said is None:
        raise SourceWithoutRanges("its host does not say which bytes it sends (Content-Range).")
    first, last, size = (int(number) for number in said.groups())
    version = Version(etag, size)
    if of not in (None, version, etag):
        raise SourceChanged
    if size > LONG_RECORDING_BYTES:
        raise SourceTooLarge(size, LONG_RECORDING_BYTES)
    if (first, last) != (start, min(start + count, size) - 1):
        raise SourceWithoutRanges("its host sends other bytes than it was asked for.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise SourceWithoutRanges("its host sends it compressed.")
    return version


def _check_status(status: int) -> None:
    if status == http.client.PARTIAL_CONTENT:
        return
    if 300 <= status < 400:
        raise SourceRedirects(status)
    if status == http.client.PRECONDITION_FAILED:
        raise SourceChanged
    if status in _GONE:
        raise SourceExpired(status)
    if status >= 500 or status in _PASSING:
        raise SourceUnavailable
    raise SourceWithoutRanges(f"its host answers a range with the status {status}.")


def _exactly(response: http.client.HTTPResponse, count: int) -> bytes:
    """So many bytes and the end; one more is asked for, and no other is read. Raises ``SourceFailed``."""
    content = response.read(count) if response.length in (None, count) else None
    if content is not None and len(content) < count:
        raise SourceUnavailable
    if content is None or response.read(1):
        raise SourceWithoutRanges("its host sends more bytes than it was asked for.")
    return content
