"""Operations: what became of an identification enroll or identify of v1.0."""

from __future__ import annotations

import azure.functions as func

from shared.http import request, v1
from shared.http.endpoint import Call, endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, name="operations", route=f"{v1.PREFIX}/operations/{{operationId}}", methods=["GET"])
def operations(call: Call) -> Reply:
    operation_id = request.guid(call.path("operationId"))
    found = call.services.operations.get(call.subscription.subscription_id, operation_id)
    return Reply(200, v1.operation(found))
