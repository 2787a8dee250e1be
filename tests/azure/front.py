"""An HTTP server that can be away, silent, or refuse, and then works again."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass(frozen=True)
class Asked:
    """``path`` with its query; ``headers`` with lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Given:
    """``status`` 0 hangs up. ``length`` is what the answer says of its body: -1 the truth, ``None`` nothing."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Sequence[tuple[str, str]] = ()
    length: int | None = -1


def given_json(status: int, value: object, *headers: tuple[str, str]) -> Given:
    return Given(status, json.dumps(value).encode(), [("Content-Type", "application/json"), *headers])


Answer = Callable[[Asked], Given]


class Front:
    """Listens on ``port`` of 127.0.0.1 and lets ``answer`` answer; counts in ``asked`` whatever it does with it."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answer, self._tls = answer, tls
        self.asked = 0
        self._silence: Event | None = None
        self._open: set[socket.socket] = set()
        self._listen(0)

    @property
    def port(self) -> int:
        return self._port

    @contextmanager
    def away(self) -> Iterator[None]:
        """Connections are refused, and those that are open end."""
        self.close()
        try:
            yield
        finally:
            self._listen(self._port)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Takes connections and requests, and says nothing."""
        self._silence = silence = Event()
        try:
            yield
        finally:
            self._silence = None
            silence.set()

    @contextmanager
    def refusing(self, refusal: Given) -> Iterator[None]:
        """Answers with this and nothing else."""
        usual, self.answer = self.answer, lambda _: refusal
        try:
            yield
        finally:
            self.answer = usual

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle(self, asked: Asked) -> Given | None:
        """``None``: nothing is to be said."""
        self.asked += 1
        if self._silence:
            self._silence.wait(60)
            return None
        return self.answer(asked)

    def opened(self, connection: socket.socket) -> None:
        self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        self._open.discard(connection)

    def _listen(self, port: int) -> None:
        self._server = _Server(self, port, self._tls)
        self._port = int(self._server.server_address[1])
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """The address of a server."""
    front = Front(answer)
    try:
        yield f"http://127.0.0.1:{front.port}"
    finally:
        front.close()


class _Server(ThreadingHTTPServer):
    block_on_close = False  # a handler may be waiting for a keep-alive connection's next request

    def __init__(self, front: Front, port: int, tls: ssl.SSLContext | None) -> None:
        self.front = front
        super().__init__(("127.0.0.1", port), _Handler)
        if tls:  # the handshake belongs to the connection's own thread
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that give up, and connections that are ended, are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.server.front.opened(self.request)
        super().setup()

    def finish(self) -> None:
        self.server.front.closed(self.request)
        super().finish()

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        given = self.server.front.handle(Asked(self.command, self.path, headers, body))
        if given is None or not given.status:
            self.close_connection = True
            return
        length = len(given.body) if given.length == -1 else given.length
        self.close_connection = length != len(given.body)
        self.send_response(given.status)
        for name, value in given.headers:
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(given.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815 - the base class names them so

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
