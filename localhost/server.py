"""The HTTP front of the local Functions host: what Azure's own host does before and after a function runs."""

from __future__ import annotations

import hmac
import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict

from localhost.failure import CannotStart
from localhost.routes import Entry, Found, Route, RouteTable, WrongMethod
from localhost.worker import Function, FunctionFailed, HttpAnswer, HttpCall, Worker

MAX_BODY_BYTES = 100 * 1024 * 1024  # the documented request limit of the Functions host
_LINGER_SECONDS = 60.0  # how long a refused upload is read and thrown away, so that its client gets to read the refusal
_GRACE_SECONDS = 20.0  # how long requests in flight may take once a stop was asked for

_OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})


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
    def parameters(self) -> dict[str, str]:
        """Repeated names are joined with commas, as the real host hands them to the worker."""
        joined: dict[str, str] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined


class Server:
    """Serves the functions of one app on 127.0.0.1; `key` is the function key and the host key in one."""

    def __init__(self, worker: Worker, functions: Sequence[Function], route_prefix: str, key: str) -> None:
        self._worker = worker
        self._functions = {function.name.lower(): function for function in functions}
        self._routes = RouteTable([_entry(function, route_prefix) for function in functions if function.is_http])
        self._key = key
        self._started = time.monotonic()
        self._runner = web.ServerRunner(
            web.Server(
                self._answer,
                access_log=None,
                lingering_time=_LINGER_SECONDS,
                auto_decompress=False,  # the real host hands a body on as it came
            ),
            shutdown_timeout=_GRACE_SECONDS,
        )

    async def start(self, port: int) -> int:
        """Listen and return the port (a free one for 0). Raises `CannotStart` when it is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError:
            raise CannotStart(f"Port {port} is taken: stop what listens there, or pass another with --port.") from None
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Accept nothing new and let requests in flight finish, for at most 20 s."""
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        target = Target.of(request)
        received = 0
        try:
            _check_text(request)
            body = await _read_body(request)
            received = len(body)
            response = await self._dispatch(request, target, body)
        except Refused as refusal:
            response = _refusal(refusal)
        except Exception:  # noqa: BLE001 - the host's own fault; the next request must still be answered
            traceback.print_exc()
            response = _refusal(Refused(500, "InternalServerError", "The local host failed; its log has the trace."))
        milliseconds = (time.perf_counter() - started) * 1000
        sent = len(response.body) if isinstance(response.body, bytes) else 0
        print(
            f"{request.method} {target.path} {response.status} {milliseconds:.0f} ms in={received} out={sent}",
            file=sys.stderr,
            flush=True,
        )
        return response

    async def _dispatch(self, request: web.BaseRequest, target: Target, body: bytes) -> web.Response:
        if target.path.lower().startswith(("/admin/", "/runtime/")):
            return await self._administer(request, target, body)
        found = self._routes.find(request.method, target.path)
        if found is None:
            raise Refused(404, "NotFound", "No function answers at this path.")
        if isinstance(found, WrongMethod):
            allowed = ", ".join(found.allowed)
            raise Refused(405, "MethodNotAllowed", f"This path answers {allowed} only.", Allow=allowed)
        if str(found.target.trigger.get("authLevel", "function")).lower() != "anonymous":
            self._check_key(request, target)
        return await self._call(request, target, body, found)

    async def _call(
        self, request: web.BaseRequest, target: Target, body: bytes, found: Found[Function]
    ) -> web.Response:
        call = HttpCall(
            method=request.method,
            url=f"http://{request.headers.get('Host', '127.0.0.1')}{target.path}"
            + (f"?{target.query}" if target.query else ""),
            headers=_joined(request.headers),
            query=target.parameters,
            route_values=found.values,
            body=body,
        )
        try:
            return _response(await self._worker.call(found.target, call))
        except FunctionFailed as failure:
            raise self._failed(found.target, failure) from None

    async def _administer(self, request: web.BaseRequest, target: Target, body: bytes) -> web.Response:
        """The real host's own addresses, as far as development needs them."""
        path = target.path.rstrip("/").lower()
        if path == "/admin/host/status" and request.method == "GET":
            uptime = int((time.monotonic() - self._started) * 1000)
            return web.json_response({"state": "Running", "processUptime": uptime, "errors": []})
        if not path.startswith("/admin/functions/"):
            raise Refused(404, "NotFound", "The local host has nothing at this address.")
        self._check_key(request, target)
        function = self._functions.get(path.removeprefix("/admin/functions/"))
        if function is None:
            raise Refused(404, "NotFound", "There is no function of this name.")
        if request.method != "POST":
            raise Refused(405, "MethodNotAllowed", "A function is fired with POST.", Allow="POST")
        if function.is_http:
            raise Refused(400, "BadRequest", "An HTTP function is called at its own route.")
        try:
            await self._worker.fire(function, _admin_input(body))
        except FunctionFailed as failure:
            raise self._failed(function, failure) from None
        return web.Response(status=202)

    def _check_key(self, request: web.BaseRequest, target: Target) -> None:
        given = request.headers.get("x-functions-key") or target.parameters.get("code", "")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise Refused(401, "Unauthorized", "This function needs its key in x-functions-key or ?code=.")

    @staticmethod
    def _failed(function: Function, failure: FunctionFailed) -> Refused:
        print(f"function {function.name} failed\n{failure.trace}", file=sys.stderr, flush=True)
        return Refused(500, "InternalServerError", "The function failed; its log has the trace.")


def _entry(function: Function, prefix: str) -> Entry[Function]:
    own = function.trigger.get("route") or function.name
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
    return Entry(Route.parse(f"{prefix.strip('/')}/{str(own).strip('/')}"), methods, function)


def _check_text(request: web.BaseRequest) -> None:
    """As Kestrel: a request target is ASCII, headers are UTF-8. aiohttp hands broken bytes on as lone surrogates."""
    broken = any("\ud800" <= character <= "\udfff" for value in request.headers.values() for character in value)
    if broken or not request.raw_path.isascii():
        raise Refused(400, "BadRequest", "The request line must be ASCII and the headers UTF-8.", Connection="close")


async def _read_body(request: web.BaseRequest) -> bytes:
    """The whole body, never more than the limit in memory. Raises `Refused` (413)."""
    announced = request.content_length
    if announced is not None and announced > MAX_BODY_BYTES:
        raise _too_large(f"{announced} bytes")
    if request.headers.get("Expect", "").lower() == "100-continue":
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise _too_large(f"more than {MAX_BODY_BYTES} bytes")
    except web.RequestPayloadError:
        raise Refused(400, "BadRequest", "The request body ended early or its framing is broken.") from None
    return bytes(body)


def _too_large(received: str) -> Refused:
    # Connection: close tells the client that the rest is not wanted. The rest is still read for a while (see
    # _LINGER_SECONDS): closing with unread data makes TCP reset the connection and lose this answer.
    message = f"The body may have at most {MAX_BODY_BYTES} bytes; received {received}."
    return Refused(413, "RequestEntityTooLarge", message, Connection="close")


def _refusal(refusal: Refused) -> web.Response:
    error = {"error": {"code": refusal.code, "message": str(refusal)}}
    response = web.json_response(error, status=refusal.status, headers=refusal.headers)
    if refusal.headers.get("Connection") == "close":
        response.force_close()
    return response


def _joined(headers: Mapping[str, str]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return joined


def _response(answer: HttpAnswer) -> web.Response:
    headers = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _OWN_HEADERS)
    for cookie in answer.cookies:
        headers.add("Set-Cookie", _cookie(cookie))
    return web.Response(status=answer.status, headers=headers, body=answer.body)


def _cookie(cookie: Any) -> str:
    """The worker takes Set-Cookie apart; the host puts it together again."""
    morsel = SimpleCookie({cookie.name: cookie.value})[cookie.name]
    for attribute in ("domain", "path"):
        if (value := getattr(cookie, attribute)) is not None and value.value:
            morsel[attribute] = value.value
    if cookie.max_age is not None:
        morsel["max-age"] = str(int(cookie.max_age.value))
    morsel["secure"] = bool(cookie.secure and cookie.secure.value)
    morsel["httponly"] = bool(cookie.http_only and cookie.http_only.value)
    morsel["samesite"] = {1: "Lax", 2: "Strict", 3: "None"}.get(cookie.same_site, "")
    return morsel.OutputString()


def _admin_input(body: bytes) -> str:
    """`{"input": "..."}`; a function without HTTP gets the text."""
    try:
        text = json.loads(body or b"{}").get("input", "")
    except (ValueError, AttributeError):
        raise Refused(400, "BadRequest", 'The body must be JSON such as {"input": ""}.') from None
    return text if isinstance(text, str) else json.dumps(text)
