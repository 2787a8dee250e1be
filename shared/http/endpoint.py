"""What every HTTP function has in common: preflight, the key, errors to the wire, response headers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import azure.functions as func

from shared.bootstrap import services
from shared.domain.errors import SubscriptionUnknown, TimbreError
from shared.http import errors
from shared.http.generations import GENERATIONS
from shared.http.reply import Reply
from shared.http.routes import HttpFunction, RouteTable, folded
from shared.http.wire import Call, WireFormat

KEY_HEADER = "Ocp-Apim-Subscription-Key"

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Operation-Location, Location, Retry-After, apim-request-id, x-ms-error-code",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": f"{KEY_HEADER}, Content-Type, Accept, apim-request-id",
    "Access-Control-Max-Age": "86400",
}
"""Browser apps send the key in a header of its own, so every call is preceded by a preflight."""

Handler = Callable[[Call], Reply]

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
                template, admitted = wire.routes[name], [*methods, "OPTIONS"]
                function = _function(handler, wire)
                route = blueprint.route(route=template, methods=admitted, auth_level=func.AuthLevel.ANONYMOUS)
                blueprint.function_name(name + wire.suffix)(route(function))
                ROUTES.add(template, admitted, function)
        return handler

    return register


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


def _function(handler: Handler, wire: WireFormat) -> HttpFunction:
    def function(req: func.HttpRequest) -> func.HttpResponse:
        if req.method == "OPTIONS":
            return Reply(204).response({**_headers(), **_PREFLIGHT})
        return _answer(handler, req, wire).response(_headers())

    return function


def _headers() -> dict[str, str]:
    return {**_CORS, "apim-request-id": str(uuid.uuid4())}


def _moved(request: func.HttpRequest, url: str, values: dict[str, str]) -> func.HttpRequest:
    return func.HttpRequest(
        request.method,
        url,
        headers=request.headers,
        params=request.params,
        route_params=values,
        body=request.get_body() or b"",
    )


def _answer(handler: Handler, request: func.HttpRequest, wire: WireFormat) -> Reply:
    try:
        ready = services()
        key = request.headers.get(KEY_HEADER)
        if not key:
            raise SubscriptionUnknown
        return handler(Call(request, ready.subscriptions.by_key(key), ready, wire))
    except TimbreError as error:
        return wire.refused(errors.reply(error, wire.errors))
    except Exception as error:  # noqa: BLE001  the last line of defence: a defect must not leak what was sent
        return wire.refused(errors.unexpected(error))
