"""Health: whether the process answers, and whether it could do its work.

The first depends on nothing, so that a busy storage account does not get instances restarted; the second is for
whoever deploys, or sends traffic here.
"""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import services
from shared.http.reply import Reply

blueprint = func.Blueprint()

SETTINGS = "settings"
"""The part that is not ready when the service cannot even be put together; the log names the setting."""


@blueprint.function_name("health")
@blueprint.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker passes it by name
    return Reply(200, {"status": "healthy"}).response({})


@blueprint.function_name("health_ready")
@blueprint.route(route="health/ready", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def ready(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  as above
    try:
        parts = dict(services().readiness())
    except Exception:  # noqa: BLE001  settings, a model's name, or storage at the very first call: bootstrap logs it
        parts = {SETTINGS: False}
    status = 200 if all(parts.values()) else 503
    body = {"status": "ready" if status == 200 else "notReady", "parts": parts}
    return Reply(status, body, {"Cache-Control": "no-store"}).response({})
