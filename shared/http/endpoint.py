"""What every HTTP function has in common: preflight, the key, errors to the wire, response headers."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import azure.functions as func

from shared.bootstrap import Services, services
from shared.domain.audit import Actor, Caller, Via
from shared.domain.errors import PathUnknown, SubscriptionUnknown, TimbreError
from shared.domain.subscription import Subscription
from shared.http import errors, streams
from shared.http.api import Api, Call
from shared.http.extension import EXTENSION
from shared.http.generations import GENERATIONS
from shared.http.links import base_url
from shared.http.management import ManagementCall
from shared.http.reply import Reply
from shared.http.routes import RouteTable, folded
from shared.http.streams import Answering, StreamRequest
from shared.http.threads import on_thread
from shared.services.measure import measured

GATED = frozenset({"enroll", "verify", "identify"})
"""The operations that listen to a recording: only so many at once."""

KEY_HEADER = "Ocp-Apim-Subscription-Key"
REQUEST_ID = "apim-request-id"

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Operation-Location, Location, Retry-After, apim-request-id, x-ms-error-code",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": f"{KEY_HEADER}, Content-Type, Accept, apim-request-id",
    "Access-Control-Max-Age": "86400",
}
"""Browser apps send the key in a header of its own, so every call is preceded by a preflight."""

Handler = Callable[[Call], Reply]
ManagementHandler = Callable[[ManagementCall], Reply]
"""Handlers are plain functions. They run on a thread, when the whole request is here."""

ROUTES = RouteTable()
"""Every function that ``endpoint`` registered."""


def endpoint(blueprint: func.Blueprint, name: str, methods: Sequence[str]) -> Callable[[Handler], Handler]:
    """Register a handler as an HTTP function of every generation that has the operation ``name``.

    The functions host lets everybody through (authentication level anonymous): the subscription key is ours to check.
    The handler itself stays callable as it is.
    """

    def register(handler: Handler) -> Handler:
        for api in GENERATIONS:
            if name in api.routes:
                gated = name if name in GATED else None
                _register(blueprint, name + api.suffix, api.routes[name], methods, _answering(handler, api, gated))
        return handler

    return register


def extension_endpoint(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str]
) -> Callable[[Handler], Handler]:
    """The same for what Timbre adds: one function at one route, opened by a subscription key too."""

    def register(handler: Handler) -> Handler:
        _register(blueprint, name, template, methods, _answering(handler, EXTENSION))
        return handler

    return register


def management_endpoint(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str]
) -> Callable[[ManagementHandler], ManagementHandler]:
    """Register a handler as a function that the functions host lets nobody reach without the function key.

    It is not in ``ROUTES``: ``dispatch`` is open to everybody. And no page of another origin may call it.
    """

    def register(handler: ManagementHandler) -> ManagementHandler:
        async def answer(request: StreamRequest) -> func.HttpResponse:
            request_id = str(uuid.uuid4())
            return (await _manage(handler, request, request_id)).response({REQUEST_ID: request_id})

        streams.register(blueprint, name, template, methods, func.AuthLevel.FUNCTION, answer)
        return handler

    return register


def open_endpoint(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str]
) -> Callable[[Answering], Answering]:
    """Register what answers without any key, on the event loop: it must not block."""

    def register(answer: Answering) -> Answering:
        streams.register(blueprint, name, template, methods, func.AuthLevel.ANONYMOUS, answer)
        return answer

    return register


def _register(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str], answering: Answering
) -> None:
    admitted = [*methods, "OPTIONS"]
    streams.register(blueprint, name, template, admitted, func.AuthLevel.ANONYMOUS, answering)
    ROUTES.add(template, admitted, answering)


async def dispatch(request: StreamRequest) -> func.HttpResponse:
    """A request that no function's own route took: to its function after all when only slashes were too many."""
    url = urlsplit(request.url)
    path = folded(url.path)
    matches = ROUTES.matches(path.removeprefix("/"))
    for route, values in matches:
        if request.method in route.methods:
            request.url, request.route_params = urlunsplit(url._replace(path=path)), values
            return await route.answering(request)
    if not matches:
        return errors.reply(PathUnknown(url.path), errors.V1).response(_headers())
    allowed = ", ".join(sorted({method for route, _ in matches for method in route.methods}))
    refusal = errors.envelope("MethodNotAllowed", f"{url.path} answers {allowed} only.")
    return Reply(HTTPStatus.METHOD_NOT_ALLOWED, refusal, {"Allow": allowed}).response(_headers())


def _answering(handler: Handler, api: Api, gated: str | None = None) -> Answering:
    """``gated``: the operation, where it listens to a recording."""

    async def answer(request: StreamRequest) -> func.HttpResponse:
        headers = _headers()
        if request.method == "OPTIONS":
            return Reply(204).response({**headers, **_PREFLIGHT})
        return (await _answer(handler, request, api, headers[REQUEST_ID], gated)).response(headers)

    return answer


def _headers() -> dict[str, str]:
    return {**_CORS, REQUEST_ID: str(uuid.uuid4())}


async def _answer(handler: Handler, request: StreamRequest, api: Api, request_id: str, gated: str | None) -> Reply:
    """The key, the body, a place at the gate, a thread: in this order, so that nobody without a key makes us read a
    body, and nobody whose body is on its way holds a place or a thread."""
    try:
        ready, caller = await on_thread(partial(_open, request.headers.get(KEY_HEADER.lower()), request_id))
        if request.method == "POST":  # its answer may name what it makes: refused before anything is made
            base_url(request.url, ready.config)
        whole = await request.whole()
        async with _admitted(gated, ready, caller.subscription):
            return await on_thread(lambda: handler(Call(whole, caller, ready, api)))
    except TimbreError as error:
        return api.refused(errors.reply(error, api.errors))
    except Exception as error:  # noqa: BLE001  the last line of defence: a defect must not leak what was sent
        return api.refused(errors.unexpected(error))


def _open(key: str | None, request_id: str) -> tuple[Services, Caller]:
    """Raises ``SubscriptionUnknown``, ``RateExceeded``."""
    ready = services()
    if not key:
        raise SubscriptionUnknown
    subscription, slot = ready.subscriptions.opened_by(key)
    ready.rate.take(subscription.subscription_id, subscription.settings.requests_per_second)
    return ready, Caller(subscription, Actor(Via.key(slot), request_id))


@asynccontextmanager
async def _admitted(gated: str | None, ready: Services, subscription: Subscription) -> AsyncIterator[None]:
    """Operations that listen to a recording are measured, and only so many are worked on at once."""
    if gated is None:
        yield
        return
    with measured(gated, subscription.subscription_id):
        async with ready.gate.admitted():
            yield


async def _manage(handler: ManagementHandler, request: StreamRequest, request_id: str) -> Reply:
    try:
        whole = await request.whole()
        return await on_thread(lambda: handler(ManagementCall(whole, services(), Actor(Via.MANAGEMENT, request_id))))
    except TimbreError as error:
        return errors.reply(error, errors.V2)
    except Exception as error:  # noqa: BLE001  as above
        return errors.unexpected(error)
