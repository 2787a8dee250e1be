"""What your own server does for the page: it holds the key, knows who has signed in, and gives tokens for that person.

    TIMBRE_KEY=local-subscription-key python samples/browser/server.py http://127.0.0.1:7071

Then open http://127.0.0.1:8080. Here everybody is the same person; put your sign-in where ``_token`` begins.
"""

import json
import os
import sys
import urllib.request
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
FILES = {"/": ("index.html", "text/html; charset=utf-8"), "/voice.js": ("voice.js", "text/javascript; charset=utf-8")}
BY_PHRASE = "/speaker-recognition/verification/text-dependent/profiles"
PURPOSES: dict[str, dict[str, Any]] = {
    "/token/enroll": {"operations": ["enroll"]},
    "/token/verify": {"operations": ["verify"], "uses": 1},
}
"""Three takes enroll; each decision takes a token of its own."""


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path not in FILES:
            return self.send_error(404)
        name, content_type = FILES[self.path]
        return self._answer(200, content_type, (FOLDER / name).read_bytes())

    def do_POST(self) -> None:
        if self.path not in PURPOSES:
            return self.send_error(404)
        return self._answer(200, "application/json", json.dumps(_token(PURPOSES[self.path])).encode())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", content_type), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _token(purpose: dict[str, Any]) -> dict[str, str]:
    token = _timbre("/tokens", {**purpose, "profileId": _profile_of_visitor(), "minutes": 5})["token"]
    return {"url": sys.argv[1], "profileId": _profile_of_visitor(), "token": token}


@cache
def _profile_of_visitor() -> str:
    """Keep it beside the person's account."""
    return str(_timbre(BY_PHRASE, {"locale": "en-us"})["profileId"])


def _timbre(path: str, body: dict[str, Any]) -> Any:
    headers = {"Ocp-Apim-Subscription-Key": os.environ["TIMBRE_KEY"], "Content-Type": "application/json"}
    request = urllib.request.Request(sys.argv[1] + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8080), Page)
    print(f"Open http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
