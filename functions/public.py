"""What answers without a key: health, what this is, the console's files, and every path that is nobody's.

The functions host tries routes in the order of the functions' names, not of how well they fit
(github.com/Azure/azure-functions-host, issue 9876), so the name of ``elsewhere`` is behind all others.
"""

from __future__ import annotations

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import azure.functions as func

from shared.bootstrap import services
from shared.domain.errors import PathUnknown
from shared.http import console as files
from shared.http import errors
from shared.http.endpoint import ROUTES, open_endpoint, response_headers
from shared.http.reply import Reply
from shared.http.streams import on_thread
from shared.http.uploads import StreamRequest

SETTINGS = "settings"
"""The part that is not ready when the service cannot even be put together; the log names the setting."""

READY_SECONDS = 10.0
"""How long the parts may take. Azure Front Door gives a probe 30 s."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
_DOCS = "docs/index.md of Timbre's repository"
"""A deployment does not know where its source stands."""

_thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")


@open_endpoint("health", "health", ["GET", "HEAD"])
async def health(_: StreamRequest) -> func.HttpResponse:
    """Whether the process answers: depends on nothing, so that busy storage does not get instances restarted."""
    return Reply(200, {"status": "healthy"}).response({})


@open_endpoint("health_ready", "health/ready", ["GET", "HEAD"])
async def ready(_: StreamRequest) -> func.HttpResponse:
    """Whether it could do its work, for deployments and load balancers. Like health it answers while every thread for
    requests waits for storage."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            parts = await on_thread(_parts, _thread)
    except TimeoutError:
        parts = {"answerInTime": False}
    status = 200 if all(parts.values()) else 503
    body = {"status": "ready" if status == 200 else "notReady", "parts": parts}
    return Reply(status, body, {"Cache-Control": "no-store"}).response({})


@open_endpoint("openapi", "openapi.json", ["GET"])
async def openapi(_: StreamRequest) -> func.HttpResponse:
    """The description of every operation, which the tests hold the service to."""
    return func.HttpResponse(_document(), mimetype="application/json", headers=_FROM_ANYWHERE)


@open_endpoint("root", "{ignored:maxlength(0)?}", ["GET", "HEAD"])
async def root(_: StreamRequest) -> func.HttpResponse:
    """A plain catch-all never gets ``/`` from the functions host; an optional parameter of no characters does."""
    service = {"service": "Timbre", "version": _version(), "openapi": "/openapi.json", "health": "/health/ready"}
    page = {"console": "/console"} if files.is_on() else {}
    return Reply(200, {**service, **page, "docs": _DOCS}).response(_FROM_ANYWHERE)


@open_endpoint("console", "console", ["GET", "HEAD"])
async def console(request: StreamRequest) -> func.HttpResponse:
    """A page that signs in with a key or token and calls this API. Off unless ``TIMBRE_CONSOLE`` is true.

    Leads to the page by a relative address, which holds under any path prefix of a gateway.
    """
    if not files.is_on():
        return _absent(request)
    base = "" if urlsplit(request.url).path.endswith("/") else "console/"
    return func.HttpResponse(b"", status_code=307, headers={**files.HEADERS, "Location": base + files.PAGE})


@open_endpoint("console_file", "console/{file}", ["GET", "HEAD"])
async def console_file(request: StreamRequest) -> func.HttpResponse:
    name = request.route_params["file"]
    if not files.is_on() or name not in files.FILES:
        return _absent(request)
    return func.HttpResponse(files.content(name), headers={**files.HEADERS, "Content-Type": files.FILES[name]})


@open_endpoint("zz_elsewhere", "{*path:regex(^(?!(admin|runtime)(/|$)))}", METHODS)
async def elsewhere(request: StreamRequest) -> func.HttpResponse:
    """JSON for what is not there. Paths that differ from a route only by repeated slashes get a second chance."""
    url = urlsplit(request.url)
    path = single_slashes(url.path)
    matches = [(route, values) for route in ROUTES if (values := route.values(path.removeprefix("/"))) is not None]
    for route, values in matches:
        if request.method in route.methods:
            request.url, request.route_params = urlunsplit(url._replace(path=path)), values
            return await route.answering(request)
    if not matches:
        return _absent(request)
    allowed = ", ".join(sorted({method for route, _ in matches for method in route.methods}))
    message = f"{url.path} answers {allowed} only."
    reply = errors.PLAIN.reply(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message, {"Allow": allowed})
    return reply.response(response_headers(request))


def single_slashes(path: str) -> str:
    """A run of slashes becomes one slash: some clients add one to a base URL that ends with one (contract, fact 6)."""
    return re.sub("/{2,}", "/", path)


def _absent(request: StreamRequest) -> func.HttpResponse:
    return errors.reply(PathUnknown(urlsplit(request.url).path), errors.PLAIN).response(response_headers(request))


def _parts() -> dict[str, bool]:
    try:
        return dict(services().readiness())
    except Exception:  # noqa: BLE001  settings, a model's name, or storage at the very first call: bootstrap logs it
        return {SETTINGS: False}


@cache
def _document() -> bytes:
    return (Path(__file__).resolve().parent.parent / "openapi.json").read_bytes()


@cache
def _version() -> str:
    return str(json.loads(_document())["info"]["version"])
