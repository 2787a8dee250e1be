"""HTTP streams: the one file that knows how the Functions host hands a request to this process.

Azure's host drops chunked bodies on their way to a classic handler (azure-functions-host, issue 7930). With HTTP
streams it passes the connection on instead: the worker starts the server below, the host proxies each request to it,
and the worker joins the request with its invocation by the header ``x-ms-invocation-id``. Microsoft's own extension for
this imports FastAPI; this one is uvicorn behind the same base classes (docs/decisions/http-streams.md has the figures).

An answer may be written before the request's body has ended: uvicorn reads the rest and throws it away. Azure's host
passes such an answer on when the upload has ended, or gives up at ``functionTimeout``.
"""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import azure.functions as func
import uvicorn
from azurefunctions.extensions import base
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.domain.errors import BodyCutShort, BodyTooLarge
from shared.domain.limits import MAX_BODIES_BYTES, MAX_BODY_BYTES
from shared.http import errors
from shared.http.threads import INVOCATION
from shared.http.uploads import BodySpace, Pace, Patience

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Result = TypeVar("Result")

KEEP_ALIVE_SECONDS: Final = 600
"""Longer than the host keeps an idle connection (one minute): who closes first must not be the one that is called."""

MAX_HEAD_BYTES: Final = 64 * 1024
"""More than the host lets through (a request line of 8 KB, headers of 32 KB), so that no refusal is the server's."""

ARRIVAL_SECONDS: Final = 20.0
"""How long an invocation waits for its request. The host proxies it at once."""

_INVOCATION: Final = "x-ms-invocation-id"
_NO_BODY: Final = frozenset({204, 304})
"""Statuses that never have a body, nor a Content-Length."""

_SPACE: Final = BodySpace(MAX_BODIES_BYTES)
_PATIENCE: Final = Patience()


class RequestLost(Exception):
    """The host has invoked a function, and its request did not come."""


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


Answering: TypeAlias = Callable[[StreamRequest], Awaitable[func.HttpResponse]]
"""What answers a request. It may leave the body unread."""


class StreamResponse:
    """What a function returns to the worker, which hands it back to the server: the answer is written already."""


_WRITTEN: Final = StreamResponse()


def register(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str], level: func.AuthLevel, work: Answering
) -> None:
    """Make ``work`` an HTTP function of the blueprint."""

    async def function(req: StreamRequest, context: func.Context) -> StreamResponse:
        INVOCATION.set(context)
        try:
            await req.answer(await work(req))
        finally:
            req.close()
        return _WRITTEN

    route = blueprint.route(route=template, methods=list(methods), auth_level=level)
    blueprint.function_name(name)(route(function))


def _head(response: func.HttpResponse) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in response.headers.items()]
    content = response.get_body() or b""
    if content and "content-type" not in response.headers:
        headers.append((b"content-type", response.mimetype.encode("latin-1")))
    if response.status_code not in _NO_BODY:
        headers.append((b"content-length", str(len(content)).encode()))
    return headers


def _joined(pairs: Sequence[tuple[str, str]] | Iterator[tuple[str, str]]) -> dict[str, str]:
    """Repeated names are joined with commas, as the host does for classic handlers."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


class _Synchronizer(base.RequestSynchronizer):  # type: ignore[misc]  # the base classes have no types
    def sync_route_params(self, request: StreamRequest, path_params: Mapping[str, str]) -> None:
        request.route_params = dict(path_params)


class _RequestType(metaclass=base.RequestTrackerMeta):  # type: ignore[metaclass]
    """Tells the worker what an HTTP function's parameter looks like."""

    request_type = StreamRequest
    synchronizer = _Synchronizer()


class _ResponseType(metaclass=base.ResponseTrackerMeta):  # type: ignore[metaclass]
    label = base.ResponseLabels.STANDARD
    response_type = StreamResponse


class WebApp(base.WebApp):  # type: ignore[misc]
    """The ASGI app: each request goes to the worker, which finds its function and comes back with the outcome."""

    def route(self, function: Callable[[StreamRequest], Awaitable[object]]) -> object:
        """The worker's own: waits for the invocation with the id in the request's header."""
        self._invoked = function
        self._bound_the_wait()
        return function

    def _bound_the_wait(self) -> None:
        """An invocation ends when its request does not come. The host invokes first and then proxies, which it cannot
        do with a header that is not ASCII; the worker would wait for ever, and at ``functionTimeout`` the host ends a
        worker with an invocation in it, and all other requests with that."""
        coordinator = self._coordinator
        wait = getattr(coordinator, "get_http_request_async", None)
        if wait is None:
            return

        async def bounded(invocation_id: str) -> object:
            try:
                async with asyncio.timeout(ARRIVAL_SECONDS):
                    return await wait(invocation_id)
            except TimeoutError:
                asyncio.get_running_loop().call_later(1.0, self._forget, invocation_id)  # the worker notes it first
                raise RequestLost from None

        setattr(coordinator, "get_http_request_async", bounded)  # noqa: B010  not ours, and without types

    def get_app(self) -> WebApp:
        return self

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        request = StreamRequest(scope, receive, send)
        try:
            await self._invoked(request)
        except Exception as error:  # noqa: BLE001  the invocation's failure, which the host logs; the client gets JSON
            if not request.answered:
                await request.answer(errors.unexpected(error).response({}))
        finally:
            self._forget(request.headers.get(_INVOCATION, ""))

    def _forget(self, invocation_id: str) -> None:
        """The worker keeps what joined request and invocation for ever (azure-functions-python-worker 4.34 and
        azure-functions-runtime 1.3): two kilobytes a request."""
        getattr(self._coordinator, "_context_references", {}).pop(invocation_id, None)

    @property
    def _coordinator(self) -> Any:
        """The worker's, which joins requests and invocations; it has no public name."""
        return getattr(self._invoked, "__globals__", {}).get("http_coordinator")


class WebServer(base.WebServer):  # type: ignore[misc]
    """Started by the worker while it is initialised, on a port that it has chosen."""

    def __init__(self, hostname: str, port: int, web_app: WebApp) -> None:
        super().__init__(hostname, port, web_app)
        # Listening from here on: the worker gives the address away before ``serve`` has run, and whoever comes then
        # waits in the queue instead of being refused.
        self._socket = socket.create_server((hostname, port), backlog=2048)
        # Connections inherit it. asyncio would set it, but not where the socket names no protocol, as this one; and an
        # answer's body would wait for the acknowledgement of its head: 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def serve(self) -> None:
        settings = uvicorn.Config(
            self.web_app,
            http=H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        )
        await _Server(settings).serve(sockets=[self._socket])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the process's signals to the worker, whose process it is."""
        yield
