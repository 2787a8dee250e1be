"""The upload against a real server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tools.calibration.upload import UploadRefused, upload


@dataclass
class Received:
    status: int = 200
    calls: list[tuple[str, str, str, dict[str, object]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def service() -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            key = self.headers["Ocp-Apim-Subscription-Key"]
            received.calls.append((self.command, self.path, key, json.loads(body)))
            self.send_response(received.status)
            self.end_headers()
            self.wfile.write(b'{"error": "no such field"}')

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    received.url = f"http://127.0.0.1:{server.server_port}"
    yield received
    server.shutdown()
    thread.join()
    server.server_close()


def test_settings_are_patched_with_the_key(service: Received) -> None:
    upload(f"{service.url}/", "secret", {"thresholds": {"verification": 0.7}})
    assert service.calls == [("PATCH", "/settings", "secret", {"thresholds": {"verification": 0.7}})]


def test_a_refusal_repeats_what_the_service_said_and_not_the_key(service: Received) -> None:
    service.status = 400
    with pytest.raises(UploadRefused, match=r"answered 400.*no such field") as refused:
        upload(service.url, "secret", {"thresholds": {}})
    assert "secret" not in str(refused.value)


def test_nobody_listening_is_said() -> None:
    with pytest.raises(UploadRefused, match="cannot be reached"):
        upload("http://127.0.0.1:9", "secret", {})


def test_only_web_addresses_are_called() -> None:
    with pytest.raises(UploadRefused, match="no http or https address"):
        upload("file:///etc/passwd", "secret", {})
