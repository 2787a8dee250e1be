"""What every HTTP function has in common: preflight, the key, errors to the wire, response headers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

import azure.functions as func

from shared.bootstrap import services
from shared.domain.errors import SubscriptionUnknown, TimbreError
from shared.http import errors
from shared.http.generations import GENERATIONS
from shared.http.reply import Reply
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


def endpoint(blueprint: func.Blueprint, name: str, methods: Sequence[str]) -> Callable[[Handler], Handler]:
    """Register a handler as an HTTP function of every generation that has the operation ``name``.

    The functions host lets everybody through (authentication level anonymous): the subscription key is ours to check.
    The handler itself stays callable as it is.
    """

    def register(handler: Handler) -> Handler:
        for wire in GENERATIONS:
            if name in wire.routes:
                function = _function(handler, wire)
                route = blueprint.route(
                    route=wire.routes[name], methods=[*methods, "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS
                )
                blueprint.function_name(name + wire.suffix)(route(function))
        return handler

    return register


def _function(handler: Handler, wire: WireFormat) -> Callable[[func.HttpRequest], func.HttpResponse]:
    def function(req: func.HttpRequest) -> func.HttpResponse:
        headers = {**_CORS, "apim-request-id": str(uuid.uuid4())}
        if req.method == "OPTIONS":
            return Reply(204).response({**headers, **_PREFLIGHT})
        return _answer(handler, req, wire).response(headers)

    return function


def _answer(handler: Handler, request: func.HttpRequest, wire: WireFormat) -> Reply:
    try:
        ready = services()
        key = request.headers.get(KEY_HEADER)
        if not key:
            raise SubscriptionUnknown
        return handler(Call(request, ready.subscriptions.by_key(key), ready, wire))
    except TimbreError as error:
        return errors.reply(error, wire.errors)
    except Exception as error:  # noqa: BLE001  the last line of defence: a defect must not leak what was sent
        return errors.unexpected(error)
