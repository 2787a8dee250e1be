"""Ranges of one file on another host, each by a request of its own: what comes back is trusted in nothing.

Every request has a deadline over all of it (name, connection, TLS, headers, body), counts its bytes, follows no
redirect, knows no proxy and sends nothing of ours but the range. ``If-Match`` holds all of them to one version.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Timer
from typing import Final

from shared.audio.sources.addresses import Resolver, addresses_of, resolved
from shared.domain.errors import (
    SourceChanged,
    SourceExpired,
    SourceFailed,
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

    def read(self, url: RecordingUrl, start: int, count: int, of: Version | str | None = None) -> tuple[bytes, Version]:
        """``count`` bytes from ``start``, or up to the end, and the version that they are of.

        ``of`` is what they must be of: a version, or an ETag where the size is not known yet. Raises ``SourceFailed``.
        """
        etag = of.etag if isinstance(of, Version) else of
        headers = {
            "Range": f"bytes={start}-{start + count - 1}",
            "Accept-Encoding": "identity",
            "User-Agent": "Timbre",
            "Connection": "close",
            **({"If-Match": etag} if etag else {}),
        }
        try:
            with self._connected(url) as wire:
                connection = http.client.HTTPConnection(url.host, url.port)
                connection.default_port = 443 if url.secure else 80  # for the Host header
                connection.sock = wire
                connection.request("GET", url.target, headers=headers)
                with connection.getresponse() as response:
                    version = _checked(response, start, count, of)
                    return _exactly(response, min(count, version.size - start)), version
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceUnavailable from error

    @contextmanager
    def _connected(self, url: RecordingUrl) -> Iterator[socket.socket]:
        """A wire that is shut down when the time is over, whatever it waits for then.

        Raises ``OSError``, ``ValueError`` (no time is left), ``SourceFailed``.
        """
        deadline = time.monotonic() + self.seconds
        tls = self.tls() if url.secure else None
        wire = self._dialled(url, deadline)
        if tls:
            wire = tls.wrap_socket(wire, server_hostname=url.host.strip("[]"), do_handshake_on_connect=False)
        timer = Timer(deadline - time.monotonic(), _shut_down, (wire,))
        timer.daemon = True
        timer.start()
        try:
            with wire:
                if isinstance(wire, ssl.SSLSocket):
                    wire.do_handshake()
                yield wire
        except SourceFailed:
            if time.monotonic() < deadline:
                raise
            raise TimeoutError from None  # headers that were cut off pass for an answer
        finally:
            timer.cancel()

    def _dialled(self, url: RecordingUrl, deadline: float) -> socket.socket:
        """To an address that was judged; its name is not asked for again."""
        *others, last = addresses_of(url, self.resolver, self.environment)
        for address in others:
            with suppress(OSError):
                return socket.create_connection((str(address), url.port), deadline - time.monotonic())
        return socket.create_connection((str(last), url.port), deadline - time.monotonic())


def _shut_down(wire: socket.socket) -> None:
    """Below TLS, whose own shutdown would let the rest be read as it lies on the wire."""
    with suppress(OSError):
        socket.socket.shutdown(wire, socket.SHUT_RDWR)


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
