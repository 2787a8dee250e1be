"""The console: a page that signs in with a key or token and calls this API. Off unless ``TIMBRE_CONSOLE`` is true."""

from __future__ import annotations

from urllib.parse import urlsplit

import azure.functions as func

from shared.domain.errors import PathUnknown
from shared.http import console as files
from shared.http import errors
from shared.http.endpoint import open_endpoint, response_headers
from shared.http.uploads import StreamRequest

blueprint = func.Blueprint()


@open_endpoint(blueprint, "console", "console", ["GET", "HEAD"])
async def console(request: StreamRequest) -> func.HttpResponse:
    """Leads to the page by a relative address, which holds under any path prefix of a gateway."""
    if not files.is_on():
        return _absent(request)
    base = "" if urlsplit(request.url).path.endswith("/") else "console/"
    return func.HttpResponse(b"", status_code=307, headers={**files.HEADERS, "Location": base + files.PAGE})


@open_endpoint(blueprint, "console_file", "console/{file}", ["GET", "HEAD"])
async def console_file(request: StreamRequest) -> func.HttpResponse:
    name = request.route_params["file"]
    if not files.is_on() or name not in files.FILES:
        return _absent(request)
    return func.HttpResponse(files.content(name), headers={**files.HEADERS, "Content-Type": files.FILES[name]})


def _absent(request: StreamRequest) -> func.HttpResponse:
    """As any path that is not there."""
    return errors.reply(PathUnknown(urlsplit(request.url).path), errors.PLAIN).response(response_headers(request))
