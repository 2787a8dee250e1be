"""Identify: which of the enrolled speakers is it, if any?"""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "identify", {"POST": Role.RECOGNISE})
def identify(call: Call) -> Reply:
    request = call.api.read_identify(call)
    call.caller.require_candidates(request.candidates)
    identification = call.services.identify(request)
    return call.api.write_identify(call, identification)
