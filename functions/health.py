"""Health: the process answers. Depends on nothing, so that a busy storage account does not get instances restarted."""

from __future__ import annotations

import azure.functions as func

from shared.http.reply import Reply

blueprint = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker passes it by name
    return Reply(200, {"status": "healthy"}).response({})
