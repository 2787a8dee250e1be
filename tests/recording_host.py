"""Servers on this machine that say what they are told to, well-behaved or not."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from shared.domain.recording_url import RecordingHosts, RecordingUrl

Say = Callable[[bytes], object]
"""Sends bytes; ``OSError`` when the client is gone."""

Answer = Callable[[str, Say], object]
"""Told the request's head, and says the answer."""

ETAG = '"version-1"'
SIGNED = "/container/secret-name.wav?sig=secret-signature"


@dataclass
class Server:
    """``requests`` are the heads that came."""

    port: int
    requests: list[str] = field(default_factory=list)

    def url(self, scheme: str = "http", host: str = "127.0.0.1", target: str = SIGNED) -> RecordingUrl:
        return RecordingHosts.parse(f"{host}:{self.port}").admit(f"{scheme}://{host}:{self.port}{target}")


@contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A connection after the other, one request each."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(listening.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with suppress(OSError), connection:
                    connection.settimeout(10.0)
                    _converse(tls.wrap_socket(connection, server_side=True) if tls else connection, server, answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
    thread.join(10.0)


def _converse(connection: socket.socket, server: Server, answer: Answer) -> None:
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65_536)
            if not received:
                return
            head += received
        server.requests.append(head.decode("latin-1"))
        answer(server.requests[-1], connection.sendall)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):  # so that what was said is not lost to a reset
                pass


@dataclass
class RecordingHost:
    """A storage service on this machine, and what it has at each path."""

    port: int
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, content: bytes) -> str:
        """The signed URL of it."""
        self.files[path] = content
        return f"http://127.0.0.1:{self.port}{path}?sig=secret-signature"


@contextmanager
def recording_host(pause_seconds: float = 0.0) -> Iterator[RecordingHost]:
    """Each answer waits for the pause."""
    files: dict[str, bytes] = {}
    asked: list[str] = []

    def answer(request: str, say: Say) -> None:
        path = request.split()[1].partition("?")[0]
        asked.append(path)
        time.sleep(pause_seconds)
        content = files.get(path)
        if content is None:
            say(head("404 Not Found", Content_Length=0))
        else:
            file(content, ETag=f'"{len(content)}"')(request, say)

    with serving(answer) as server:
        yield RecordingHost(server.port, files, asked)


def head(status: str, **headers: object) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def asked(request: str) -> tuple[int, int]:
    found = re.search(r"^Range: bytes=(\d+)-(\d+)\r$", request, re.MULTILINE)
    assert found
    return int(found[1]), int(found[2])


def partial_head(content: bytes, request: str, **changed: object) -> tuple[bytes, bytes]:
    """The head and the body of the right answer, with headers changed, or left out where ``None``."""
    first, last = asked(request)
    last = min(last, len(content) - 1)
    headers: dict[str, object] = {
        "Content_Range": f"bytes {first}-{last}/{len(content)}",
        "Content_Length": last + 1 - first,
        "ETag": ETAG,
        **changed,
    }
    said = {name: value for name, value in headers.items() if value is not None}
    return head("206 Partial Content", **said), content[first : last + 1]


def file(content: bytes, **changed: object) -> Answer:
    """A storage service that keeps ranges and conditions, but for the headers that are changed."""

    def answer(request: str, say: Say) -> None:
        condition = re.search(r"^If-Match: (.*)\r$", request, re.MULTILINE)
        if condition and condition[1] != changed.get("ETag", ETAG):
            say(head("412 Precondition Failed", Content_Length=0))
            return
        for part in partial_head(content, request, **changed):
            say(part)

    return answer
