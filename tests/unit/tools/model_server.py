"""A small HTTP server for one model file, which misbehaves as told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ModelServer:
    """``cuts`` holds, for each of the first requests, how many bytes it sends before it hangs up."""

    content: bytes
    cuts: list[int] = field(default_factory=list)
    status: int = 200
    ranges: bool = True
    says_length: bool = True
    location: str = ""
    asked: list[str | None] = field(default_factory=list)
    """The Range header of each request."""

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/model.onnx"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:  # noqa: C901  counts its class's methods
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            server.asked.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
            if server.location:
                self.send_response(302)
                self.send_header("Location", server.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if server.status != 200:
                self.send_error(server.status)
                return
            if start >= len(server.content):
                self.send_error(416)
                return
            self._send(start)

        def _send(self, start: int) -> None:
            self.send_response(206 if start else 200)
            if start:
                last = len(server.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(server.content)}")
            if server.says_length:
                self.send_header("Content-Length", str(len(server.content) - start))
            self.end_headers()
            end = start + server.cuts.pop(0) if server.cuts else len(server.content)
            self.wfile.write(server.content[start:end])

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
