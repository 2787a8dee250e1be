"""Uploads that no HTTP client would send: they stall, or end before they should."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.api.client import KEY_HEADER, NOBODY
from tests.api.later import IDENTIFY
from tests.service import RunningService

STALLED_BYTES = 256 * 1024


@dataclass(frozen=True)
class RawAnswer:
    status: int
    error: Any
    seconds: float
    """From the end of what was sent to the end of the answer."""


def upload(service: RunningService, header: str, body: bytes, patience: float, end: bool = False) -> RawAnswer:
    """An identify with this header and what is there of its body; ``end`` closes the client's own side."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=patience) as connection:
        first = f"POST {IDENTIFY['v1.0'].format(NOBODY)} HTTP/1.1\r\nHost: {address.netloc}"
        connection.sendall(f"{first}\r\n{header}\r\n{KEY_HEADER}: {service.key}\r\n\r\n".encode() + body)
        if end:
            connection.shutdown(socket.SHUT_WR)
        started, received = time.monotonic(), b""
        while not _is_whole(received) and (part := connection.recv(65536)):
            received += part
        seconds = time.monotonic() - started
    head, _, content = received.partition(b"\r\n\r\n")
    return RawAnswer(int(head.split()[1]), json.loads(content)["error"], seconds)


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(separator and lengths and len(body) >= int(lengths[0]))
