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
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache, partial
from typing import Any, Final, TypeAlias, TypeVar

import azure.functions as func
import uvicorn
from azurefunctions.extensions import base
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared import config
from shared.http import errors
from shared.http.uploads import Receive, Send, StreamRequest

Result = TypeVar("Result")

KEEP_ALIVE_SECONDS: Final = 600
"""Longer than the host keeps an idle connection (one minute): the host has to be the first to close it."""

MAX_HEAD_BYTES: Final = 64 * 1024
"""More than the host lets through (a request line of 8 KB, headers of 32 KB), so that no refusal is the server's."""

ARRIVAL_SECONDS: Final = 20.0
"""How long an invocation waits for its request. The host proxies it at once."""

_INVOCATION: Final = "x-ms-invocation-id"


class RequestLost(Exception):
    """The host has invoked a function, and its request did not come."""


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


INVOCATION: Final[ContextVar[func.Context | None]] = ContextVar("invocation", default=None)
"""What the worker calls the request at hand."""


async def on_thread(work: Callable[[], Result], threads: ThreadPoolExecutor | None = None) -> Result:
    """Run blocking work on a thread of ``PYTHON_THREADPOOL_THREAD_COUNT`` (or of ``threads``), with the measurement of
    the request and the name of its invocation. The pool is apart from the worker's, which is for timers."""
    named = partial(copy_context().run, _as_invocation, work)
    return await asyncio.get_running_loop().run_in_executor(threads or _threads(), named)


def _as_invocation(work: Callable[[], Result]) -> Result:
    """The host drops log lines that do not name their invocation. The worker looks for its id where the guide for
    Python functions says it shall stand on threads that the app starts."""
    invocation = INVOCATION.get()
    if invocation is None:
        return work()
    storage: Any = invocation.thread_local_storage
    storage.invocation_id = invocation.invocation_id
    try:
        return work()
    finally:
        storage.invocation_id = None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(config.threads(os.environ), thread_name_prefix="request")


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
                await request.answer(errors.unexpected(error, errors.PLAIN).response({}))
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
        # Listens from here on: the worker gives the address away before ``serve`` has run. A request that comes then
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
