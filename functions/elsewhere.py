"""Every other path: JSON for what is not there, and a second chance for paths with too many slashes.

The functions host tries routes in the order of the functions' names, not of how well they fit
(github.com/Azure/azure-functions-host, issue 9876), so this function's name is behind all others.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import azure.functions as func

from shared.domain.errors import PathUnknown
from shared.http import errors
from shared.http.endpoint import ROUTES, open_endpoint, response_headers
from shared.http.uploads import StreamRequest

blueprint = func.Blueprint()

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@open_endpoint(blueprint, "zz_elsewhere", "{*path:regex(^(?!(admin|runtime)(/|$)))}", METHODS)
async def elsewhere(request: StreamRequest) -> func.HttpResponse:
    """Re-dispatches paths that differ from a route only by repeated slashes."""
    url = urlsplit(request.url)
    path = single_slashes(url.path)
    matches = [(route, values) for route in ROUTES if (values := route.values(path.removeprefix("/"))) is not None]
    for route, values in matches:
        if request.method in route.methods:
            request.url, request.route_params = urlunsplit(url._replace(path=path)), values
            return await route.answering(request)
    if not matches:
        return errors.reply(PathUnknown(url.path), errors.PLAIN).response(response_headers(request))
    allowed = ", ".join(sorted({method for route, _ in matches for method in route.methods}))
    message = f"{url.path} answers {allowed} only."
    reply = errors.PLAIN.reply(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message, {"Allow": allowed})
    return reply.response(response_headers(request))


def single_slashes(path: str) -> str:
    """A run of slashes becomes one slash: some clients add one to a base URL that ends with one (contract, fact 6)."""
    return re.sub("/{2,}", "/", path)
