"""Every other path: JSON for what is not there, and a second chance for paths with too many slashes.

The functions host tries routes in the order of the functions' names, not of how well they fit
(github.com/Azure/azure-functions-host, issue 9876), so this function's name is behind all others.
"""

from __future__ import annotations

import azure.functions as func

from shared.http.endpoint import dispatch

blueprint = func.Blueprint()

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@blueprint.function_name("zz_elsewhere")
@blueprint.route(route="{*path:regex(^(?!(admin|runtime)(/|$)))}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def elsewhere(req: func.HttpRequest) -> func.HttpResponse:
    return dispatch(req)
