"""What every HTTP function has in common: preflight, the key, errors to the wire, response headers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import azure.functions as func

from shared.bootstrap import services
from shared.domain.audit import Actor, Caller, Via
from shared.domain.errors import SubscriptionUnknown, TimbreError
from shared.http import errors
from shared.http.extension import EXTENSION
from shared.http.generations import GENERATIONS
from shared.http.management import ManagementCall
from shared.http.reply import Reply
from shared.http.routes import HttpFunction, RouteTable, folded
from shared.http.wire import Call, WireFormat
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

ROUTES = RouteTable()
"""Every function that ``endpoint`` registered."""


def endpoint(blueprint: func.Blueprint, name: str, methods: Sequence[str]) -> Callable[[Handler], Handler]:
    """Register a handler as an HTTP function of every generation that has the operation ``name``.

    The functions host lets everybody through (authentication level anonymous): the subscription key is ours to check.
    The handler itself stays callable as it is.
    """

    def register(handler: Handler) -> Handler:
        for wire in GENERATIONS:
            if name in wire.routes:
                _register(
                    blueprint,
                    name + wire.suffix,
                    wire.routes[name],
                    methods,
                    _function(handler, wire, name if name in GATED else None),
                )
        return handler

    return register


def extension_endpoint(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str]
) -> Callable[[Handler], Handler]:
    """The same for what Timbre adds: one function at one route, opened by a subscription key too."""

    def register(handler: Handler) -> Handler:
        _register(blueprint, name, template, methods, _function(handler, EXTENSION))
        return handler

    return register


def management_endpoint(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str]
) -> Callable[[ManagementHandler], ManagementHandler]:
    """Register a handler as a function that the functions host lets nobody reach without the function key.

    It is not in ``ROUTES``: ``dispatch`` is open to everybody. And no page of another origin may call it.
    """

    def register(handler: ManagementHandler) -> ManagementHandler:
        def function(req: func.HttpRequest) -> func.HttpResponse:
            request_id = str(uuid.uuid4())
            return _managed(handler, req, request_id).response({REQUEST_ID: request_id})

        route = blueprint.route(route=template, methods=list(methods), auth_level=func.AuthLevel.FUNCTION)
        blueprint.function_name(name)(route(function))
        return handler

    return register


def _register(
    blueprint: func.Blueprint, name: str, template: str, methods: Sequence[str], function: HttpFunction
) -> None:
    admitted = [*methods, "OPTIONS"]
    route = blueprint.route(route=template, methods=admitted, auth_level=func.AuthLevel.ANONYMOUS)
    blueprint.function_name(name)(route(function))
    ROUTES.add(template, admitted, function)


def dispatch(request: func.HttpRequest) -> func.HttpResponse:
    """A request that no function's own route took: to its function after all when only slashes were too many."""
    url = urlsplit(request.url)
    path = folded(url.path)
    found = ROUTES.matches(path.removeprefix("/"))
    for route, values in found:
        if request.method in route.methods:
            return route.function(_moved(request, urlunsplit(url._replace(path=path)), values))
    if not found:
        return errors.reply(errors.PathUnknown(url.path), errors.V1).response(_headers())
    allowed = ", ".join(sorted({method for route, _ in found for method in route.methods}))
    refusal = errors.envelope("MethodNotAllowed", f"{url.path} answers {allowed} only.")
    return Reply(HTTPStatus.METHOD_NOT_ALLOWED, refusal, {"Allow": allowed}).response(_headers())


def _function(handler: Handler, wire: WireFormat, gated: str | None = None) -> HttpFunction:
    """``gated``: the operation, where it listens to a recording."""

    def function(req: func.HttpRequest) -> func.HttpResponse:
        if req.method == "OPTIONS":
            return Reply(204).response({**_headers(), **_PREFLIGHT})
        headers = _headers()
        return _answer(handler, req, wire, headers[REQUEST_ID], gated).response(headers)

    return function


def _headers() -> dict[str, str]:
    return {**_CORS, REQUEST_ID: str(uuid.uuid4())}


def _moved(request: func.HttpRequest, url: str, values: dict[str, str]) -> func.HttpRequest:
    return func.HttpRequest(
        request.method,
        url,
        headers=request.headers,
        params=request.params,
        route_params=values,
        body=request.get_body() or b"",
    )


def _answer(handler: Handler, request: func.HttpRequest, wire: WireFormat, request_id: str, gated: str | None) -> Reply:
    try:
        ready = services()
        key = request.headers.get(KEY_HEADER)
        if not key:
            raise SubscriptionUnknown
        subscription, slot = ready.subscriptions.opened_by(key)
        subscription_id = subscription.subscription_id
        caller = Caller(subscription, Actor(Via.key(slot), request_id))
        with measured(gated, subscription_id) if gated else nullcontext():
            ready.rate.take(subscription_id, subscription.settings.requests_per_second)
            with ready.gate.admitted() if gated else nullcontext():
                return handler(Call(request, caller, ready, wire))
    except TimbreError as error:
        return wire.refused(errors.reply(error, wire.errors))
    except Exception as error:  # noqa: BLE001  the last line of defence: a defect must not leak what was sent
        return wire.refused(errors.unexpected(error))


def _managed(handler: ManagementHandler, request: func.HttpRequest, request_id: str) -> Reply:
    try:
        return handler(ManagementCall(request, services(), Actor(Via.MANAGEMENT, request_id)))
    except TimbreError as error:
        return errors.reply(error, errors.V2)
    except Exception as error:  # noqa: BLE001  as above
        return errors.unexpected(error)
