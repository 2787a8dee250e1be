"""What every HTTP function has in common: preflight, the key, errors to the wire, response headers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import azure.functions as func

from shared.bootstrap import Services, services
from shared.domain.errors import SubscriptionUnknown, TimbreError
from shared.domain.subscription import Subscription
from shared.http import errors
from shared.http.reply import Reply

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


@dataclass(frozen=True)
class Call:
    """An authenticated request."""

    request: func.HttpRequest
    subscription: Subscription
    services: Services

    def path(self, name: str) -> str:
        return str(self.request.route_params[name])


Handler = Callable[[Call], Reply]


def endpoint(
    blueprint: func.Blueprint, *, name: str, route: str, methods: Sequence[str], wires: errors.Wires = errors.V1
) -> Callable[[Handler], Handler]:
    """Register a handler as the HTTP function ``name``; the handler itself stays callable as it is.

    The functions host lets everybody through (authentication level anonymous): the subscription key is ours to check.
    """

    def register(handler: Handler) -> Handler:
        def function(req: func.HttpRequest) -> func.HttpResponse:
            headers = {**_CORS, "apim-request-id": str(uuid.uuid4())}
            if req.method == "OPTIONS":
                return Reply(204).response({**headers, **_PREFLIGHT})
            return _answer(handler, req, wires).response(headers)

        decorate = blueprint.route(route=route, methods=[*methods, "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
        blueprint.function_name(name)(decorate(function))
        return handler

    return register


def _answer(handler: Handler, request: func.HttpRequest, wires: errors.Wires) -> Reply:
    try:
        ready = services()
        key = request.headers.get(KEY_HEADER)
        if not key:
            raise SubscriptionUnknown
        return handler(Call(request, ready.subscriptions.by_key(key), ready))
    except TimbreError as error:
        return errors.reply(error, wires)
    except Exception as error:  # noqa: BLE001  the last line of defence: a defect must not leak what was sent
        return errors.unexpected(error)
