"""Operations: what became of an identification enroll or identify of v1.0, and of a long recording."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.http import v1
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.long_recordings import read_operation, write_operation
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "operations", {"GET": Role.RECOGNISE})
def operations(call: Call) -> Reply:
    operation_id = v1.read_operation(call)
    operation = call.services.operations.get(call.subscription.subscription_id, operation_id)
    return v1.write_operation(call, operation)


@endpoint(blueprint, "long_operation", {"GET": Role.RECOGNISE, "DELETE": Role.ENROLL})
def long_operation(call: Call) -> Reply:
    operation_id = read_operation(call)
    if call.request.method == "DELETE":
        call.services.long_turns.remove(call.subscription.subscription_id, operation_id)
        return Reply(204)
    return write_operation(call, *call.services.long_turns.get(call.subscription, operation_id))
