"""A request as the Functions host hands it over: its head is here, its body may still be on its way.

A process holds only so many bytes of bodies at a time, and gives up on one that comes too slowly.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

import azure.functions as func

from shared.domain.errors import BodyCutShort, BodyTooLarge, BodyTooSlow, ServiceBusy
from shared.domain.limits import (
    MAX_BODIES_BYTES,
    MAX_BODY_BYTES,
    MIN_UPLOAD_BYTES_PER_SECOND,
    UPLOAD_RATE_SECONDS,
    UPLOAD_STALL_SECONDS,
)

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_NO_BODY: Final = frozenset({204, 304})
"""Statuses that never have a body, nor a Content-Length."""


class BodySpace:
    """Bytes of bodies that this process holds at a time. Used by the server's event loop alone."""

    def __init__(self, maximum: int) -> None:
        self._free = maximum

    @property
    def free(self) -> int:
        return self._free

    def take(self, size: int) -> None:
        """Raises ``ServiceBusy``."""
        if size > self._free:
            raise ServiceBusy
        self._free -= size

    def give_back(self, size: int) -> None:
        self._free += size


@dataclass(frozen=True)
class Patience:
    """How slowly a body may come."""

    stall_seconds: float = UPLOAD_STALL_SECONDS
    rate_seconds: float = UPLOAD_RATE_SECONDS
    bytes_per_second: float = MIN_UPLOAD_BYTES_PER_SECOND


class Pace:
    """How fast a body comes, measured over ``rate_seconds`` at a time. Needs a running event loop."""

    def __init__(self, announced: int | None, patience: Patience) -> None:
        self.announced, self.received = announced, 0
        self._patience = patience
        self._since, self._before = self._now(), 0

    def count(self, size: int) -> None:
        """Raises ``BodyTooSlow``."""
        self.received += size
        if self._left_seconds() <= 0.0:
            if self._is_slow:
                raise self.refusal
            self._since, self._before = self._now(), self.received

    @property
    def patience_seconds(self) -> float:
        """How long to wait for the next bytes."""
        stall = self._patience.stall_seconds
        return min(stall, max(self._left_seconds(), 0.0)) if self._is_slow else stall

    @property
    def refusal(self) -> BodyTooSlow:
        return BodyTooSlow(self.received, self.announced)

    @property
    def _is_slow(self) -> bool:
        return self.received - self._before < self._patience.bytes_per_second * self._patience.rate_seconds

    def _left_seconds(self) -> float:
        return self._since + self._patience.rate_seconds - self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


_SPACE: Final = BodySpace(MAX_BODIES_BYTES)
_PATIENCE: Final = Patience()


class StreamRequest:
    """A request as the host hands it over: its head is here, its body may still be on its way.

    ``route_params`` are filled in by the worker before a function sees the request.
    """

    def __init__(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        send: Send,
        patience: Patience = _PATIENCE,
        space: BodySpace = _SPACE,
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._patience, self._space = patience, space
        self.method: str = scope["method"]
        self.headers: Mapping[str, str] = _joined(
            (name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in scope["headers"]
        )
        self.route_params: Mapping[str, str] = {}
        self._body_ended = False
        self._held = 0
        self.answered = False

    @cached_property
    def url(self) -> str:
        """As the client sent it: the host's proxy puts its own address into ``Host`` and the client's into two headers
        of its own, in which it overwrites whatever the client wrote."""
        scheme = self.headers.get("x-forwarded-proto", "http").partition(",")[0].strip().lower()
        host = self.headers.get("x-forwarded-host") or self.headers.get("host", "")
        query = self._scope["query_string"].decode("latin-1")
        path = self._scope["raw_path"].decode("latin-1")
        return f"{'https' if scheme == 'https' else 'http'}://{host}{path}" + (f"?{query}" if query else "")

    @property
    def announced_bytes(self) -> int | None:
        """``Content-Length``, which the server has checked; ``None`` in a chunked upload."""
        length = self.headers.get("content-length")
        return int(length) if length is not None else None

    async def whole(self) -> func.HttpRequest:
        """The request with its body.

        Raises
        ------
        BodyTooLarge
            From the announced length at once, of a chunked body as soon as it is passed.
        BodyTooSlow
            No byte for ``UPLOAD_STALL_SECONDS``, or fewer than ``MIN_UPLOAD_BYTES_PER_SECOND`` over
            ``UPLOAD_RATE_SECONDS``.
        BodyCutShort
            The client stopped sending.
        ServiceBusy
            This process holds as many bytes of bodies as it may.
        """
        return func.HttpRequest(
            self.method,
            self.url,
            headers=self.headers,
            params=_joined(parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            route_params=self.route_params,
            body=await self._body(),
        )

    async def _body(self) -> bytes:
        announced = self.announced_bytes
        if announced is not None and announced > MAX_BODY_BYTES:
            raise BodyTooLarge(announced, MAX_BODY_BYTES)
        content, pace = io.BytesIO(), Pace(announced, self._patience)
        while not self._body_ended:
            part = await self._next_part(pace)
            self._hold(len(part))
            if self._held > MAX_BODY_BYTES:
                raise BodyTooLarge(self._held, MAX_BODY_BYTES, at_least=True)
            content.write(part)
        return content.getvalue()

    async def _next_part(self, pace: Pace) -> bytes:
        try:
            async with asyncio.timeout(pace.patience_seconds):
                message = await self._receive()
        except TimeoutError:
            raise pace.refusal from None
        if message["type"] == "http.disconnect":
            raise BodyCutShort(pace.received, pace.announced)
        part: bytes = message.get("body", b"")
        self._body_ended = not message.get("more_body", False)
        pace.count(len(part))
        return part

    def _hold(self, size: int) -> None:
        self._space.take(size)
        self._held += size

    def close(self) -> None:
        """The body is not needed any more."""
        self._space.give_back(self._held)
        self._held = 0

    async def answer(self, response: func.HttpResponse) -> None:
        """Write the answer, at most once."""
        if self.answered:
            return
        self.answered = True
        await self._send({"type": "http.response.start", "status": response.status_code, "headers": _head(response)})
        await self._send({"type": "http.response.body", "body": response.get_body() or b""})


def _head(response: func.HttpResponse) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in response.headers.items()]
    content = response.get_body() or b""
    if content and "content-type" not in response.headers:
        headers.append((b"content-type", response.mimetype.encode("latin-1")))
    if response.status_code not in _NO_BODY:
        headers.append((b"content-length", str(len(content)).encode()))
    return headers


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated names are joined with commas, as the host does for classic handlers."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
