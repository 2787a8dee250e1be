"""The HTTP front of the local Functions host: finds the function, invokes it, and proxies the request to the app."""

from __future__ import annotations

import asyncio
import hmac
import re
import sys
import time
import traceback
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, StreamReader, TCPConnector, web
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict
from yarl import URL

from localhost.failure import CannotStart
from localhost.routes import RouteTable
from localhost.worker import Function, FunctionFailed, Worker

_LINGER_SECONDS = 60.0  # how long a refused upload is read and thrown away, so that its client gets to read the refusal
_GRACE_SECONDS = 20.0  # how long requests in flight may take once a stop was asked for

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "expect"})
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~"  # left as they are in a path, as ASP.NET Core's PathString does


class Refused(Exception):
    """The host answers itself; `code` and `message` go onto the wire."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


@dataclass(frozen=True)
class Target:
    """The request target as it came: nothing decoded, nothing folded."""

    path: str
    query: str

    @classmethod
    def of(cls, request: web.BaseRequest) -> Target:
        raw = request.raw_path if request.raw_path.startswith("/") else request.rel_url.raw_path_qs
        path, _, query = raw.partition("?")
        return cls(path, query.partition("#")[0])

    @property
    def forwarded(self) -> str:
        """As the real host's proxy writes it: decoded, but for encoded slashes, and encoded again."""
        between = re.split("%2F", self.path, flags=re.IGNORECASE)
        path = "%2F".join(quote(unquote(part), safe=_PATH_CHARACTERS) for part in between)
        return f"{path}?{self.query}" if self.query else path


class Server:
    """Serves the functions of one app on 127.0.0.1; `key` is the function key and the host key in one."""

    def __init__(self, worker: Worker, functions: Sequence[Function], key: str) -> None:
        self._worker = worker
        self._timers = {function.name: function for function in functions if not function.is_http}
        self._routes = RouteTable(functions)
        self._key = key
        self._client: ClientSession | None = None
        self._runner = web.ServerRunner(
            _HalfOpenServer(
                self._answer,
                access_log=None,
                lingering_time=_LINGER_SECONDS,
                auto_decompress=False,  # the real host hands a body on as it came
            ),
            shutdown_timeout=_GRACE_SECONDS,
        )

    async def start(self, port: int) -> int:
        """Listen and return the port (a free one for 0). Raises `CannotStart` when it is taken."""
        self._client = ClientSession(
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=None),
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError:
            await self._client.close()
            raise CannotStart(f"Port {port} is taken: stop what listens there, or pass another with --port.") from None
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Accept nothing new and let requests in flight finish, for at most 20 s."""
        await self._runner.cleanup()
        if self._client:
            await self._client.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        target = Target.of(request)
        try:
            _check_text(request)
            response = await self._dispatch(request, target)
        except Refused as refusal:
            response = _refusal(refusal)
        except Exception:  # noqa: BLE001 - the host's own fault; the next request must still be answered
            traceback.print_exc()
            response = _refusal(Refused(500, "InternalServerError", "The local host failed; its log has the trace."))
        milliseconds = (time.perf_counter() - started) * 1000
        # One write, not print's two: the app's threads log to the same stream.
        sys.stderr.write(f"{request.method} {target.path} {response.status} {milliseconds:.0f} ms\n")
        return response

    async def _dispatch(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        if target.path.startswith("/admin/"):
            return await self._administer(request, target)
        found = self._routes.find(request.method, target.path)
        if found is None:
            raise Refused(404, "NotFound", "No function answers at this path.")
        function, values = found
        if str(function.trigger["authLevel"]).lower() != "anonymous":
            self._check_key(request, target)
        return await self._call(request, target, function, values)

    async def _call(
        self, request: web.BaseRequest, target: Target, function: Function, values: dict[str, str]
    ) -> web.StreamResponse:
        invocation_id = str(uuid.uuid4())
        invocation = asyncio.create_task(self._worker.call(function, invocation_id, values))
        try:
            return await self._proxy(request, target, invocation_id)
        except Refused:
            invocation.cancel()  # the app may never get to see the request
            raise
        finally:
            try:
                await invocation
            except FunctionFailed as failure:
                print(f"function {function.name} failed\n{failure.trace}", file=sys.stderr, flush=True)
            except asyncio.CancelledError:
                if not invocation.cancelled():
                    raise

    async def _proxy(self, request: web.BaseRequest, target: Target, invocation_id: str) -> web.StreamResponse:
        """Both ways at once: an answer may come while the client still sends."""
        assert self._client is not None
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP
        )
        headers["x-ms-invocation-id"] = invocation_id
        headers["X-Forwarded-For"] = _peer(request)
        headers["X-Forwarded-Host"] = request.headers.get("Host", "")
        headers["X-Forwarded-Proto"] = request.headers.get("X-Forwarded-Proto", "http")
        content = _Upload(request) if request.body_exists else None
        call = self._client.request(
            request.method,
            URL(self._worker.http_url + target.forwarded, encoded=True),
            headers=headers,
            data=content.parts() if content else None,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
            allow_redirects=False,
        )
        try:
            async with call as answer:
                return await _pass_on(request, answer)
        except ClientError:
            if content and content.ended_early:
                raise _cut_short(request) from None
            raise Refused(500, "InternalServerError", "The app ended the connection without an answer.") from None

    async def _administer(self, request: web.BaseRequest, target: Target) -> web.Response:
        """The real host's own addresses, as far as development needs them."""
        if (request.method, target.path) == ("GET", "/admin/host/status"):
            return web.json_response({"state": "Running"})
        function = self._timers.get(target.path.removeprefix("/admin/functions/"))
        if function is None or request.method != "POST":
            raise Refused(404, "NotFound", "The local host fires timers: POST /admin/functions/NAME.")
        self._check_key(request, target)
        try:
            await self._worker.fire(function)
        except FunctionFailed as failure:
            print(f"function {function.name} failed\n{failure.trace}", file=sys.stderr, flush=True)
            raise Refused(500, "InternalServerError", "The function failed; its log has the trace.") from None
        return web.Response(status=202)

    def _check_key(self, request: web.BaseRequest, target: Target) -> None:
        given = request.headers.get("x-functions-key") or dict(parse_qsl(target.query)).get("code", "")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise Refused(401, "Unauthorized", "This function needs its key in x-functions-key or ?code=.")


class _Upload:
    """The body of a request on its way to the app."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self.ended_early = False

    async def parts(self) -> Any:
        if self._request.headers.get("Expect", "").lower() == "100-continue":
            assert self._request.transport is not None
            self._request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async for part in self._request.content.iter_any():
                yield part
        except (web.RequestPayloadError, ConnectionError):
            self.ended_early = True
            raise


class _HalfOpenServer(web.Server):
    def __call__(self) -> RequestHandler:
        return _HalfOpen(self, loop=self._loop, **self._kwargs)


class _HalfOpen(RequestHandler):
    """A client that has closed its own side still gets its answer."""

    _content: StreamReader | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages:  # nobody has looked at the request yet
            self._content = self._messages[-1][1]

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio closes the connection unless this is true
        is_idle = self._waiter is not None and not self._waiter.done()
        if self._content is None or is_idle:
            return False
        if not self._content.is_eof():
            self._content.set_exception(web.RequestPayloadError("the client stopped sending"))
        self.close()
        return True


async def _pass_on(request: web.BaseRequest, answer: Any) -> web.StreamResponse:
    headers = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP)
    response = web.StreamResponse(status=answer.status, headers=headers)
    with suppress(ConnectionError):  # the client is gone
        await response.prepare(request)
        async for part in answer.content.iter_any():
            await response.write(part)
        await response.write_eof()
    return response


def _peer(request: web.BaseRequest) -> str:
    """As the real host behind Azure's front end, which appends whom it was asked by: that entry alone is handed on."""
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or request.remote or ""


def _check_text(request: web.BaseRequest) -> None:
    """As Kestrel: a request target is ASCII, headers are UTF-8. aiohttp hands broken bytes on as lone surrogates."""
    broken = any("\ud800" <= character <= "\udfff" for value in request.headers.values() for character in value)
    if broken or not request.raw_path.isascii() or "%00" in request.raw_path.partition("?")[0]:
        message = "The request line must be ASCII without %00, and the headers UTF-8."
        raise Refused(400, "BadRequest", message, Connection="close")


def _cut_short(request: web.BaseRequest) -> Refused:
    announced = f" of {request.content_length:,}" if request.content_length is not None else ""
    message = f"The request body ended early. Received {request.content.total_bytes:,}{announced} bytes."
    return Refused(400, "BadRequest", message, Connection="close")


def _refusal(refusal: Refused) -> web.Response:
    error = {"error": {"code": refusal.code, "message": str(refusal)}}
    response = web.json_response(error, status=refusal.status, headers=refusal.headers)
    if refusal.headers.get("Connection") == "close":
        response.force_close()
    return response
