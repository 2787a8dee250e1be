"""Requests to the app's HTTP functions in this process: all of a request but the host and the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from shared.http.uploads import StreamRequest

Part = bytes | float | None
"""Bytes of a body, seconds in which nothing comes, or the end of the connection."""

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Connection:
    """The server's side of a request: gives the body part by part and keeps what is answered."""

    parts: list[Part]
    sent: list[MutableMapping[str, Any]] = field(default_factory=list)

    async def receive(self) -> MutableMapping[str, Any]:
        while self.parts and isinstance(self.parts[0], float):
            await asyncio.sleep(self.parts.pop(0))  # type: ignore[arg-type]  # seconds
        if not self.parts:
            return {"type": "http.request", "body": b"", "more_body": False}
        part = self.parts.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    @property
    def answer(self) -> Answer:
        start, *parts = self.sent
        assert start["type"] == "http.response.start"
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(part["body"] for part in parts))


def scope(method: str, target: str, headers: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """As an ASGI server gives it."""
    path, _, query = target.partition("?")
    named = [(name.lower().encode(), value.encode()) for name, value in headers]
    return {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", HOST.encode()), *named],
    }


def stream_request(
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | Sequence[Part] = b"",
    route_params: Mapping[str, str] | None = None,
    **of_the_stream: Any,
) -> tuple[StreamRequest, Connection]:
    """``of_the_stream``: further arguments of ``StreamRequest``."""
    parts: list[Part] = ([body] if body else []) if isinstance(body, bytes) else list(body)
    connection = Connection(parts)
    asked = scope(method, target, (headers or {}).items())
    request = StreamRequest(asked, connection.receive, connection.send, **of_the_stream)
    request.route_params = dict(route_params or {})
    return request, connection


Function = Callable[[StreamRequest, Any], Awaitable[object]]
"""An HTTP function as the worker calls it."""


def call(
    function: Function,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    route_params: Mapping[str, str] | None = None,
) -> Answer:
    """From any thread; all calls of a process share one event loop, as on the host."""
    request, connection = stream_request(method, target, headers, body, route_params)

    async def invoke() -> None:
        await function(request, None)

    asyncio.run_coroutine_threadsafe(invoke(), _loop()).result()
    return connection.answer


_running: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    if not _running:
        _running.append(asyncio.new_event_loop())
        Thread(target=_running[0].run_forever, name="event loop", daemon=True).start()
    return _running[0]
