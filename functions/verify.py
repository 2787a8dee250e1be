"""Verify: is this recording of the enrolled speaker (saying the enrolled phrase)?"""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.audit import AuditAction
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "verify", {"POST": Role.RECOGNISE})
def verify(call: Call) -> Reply:
    request = call.api.read_verify(call)
    verification = call.services.verify(request)
    decided = verification.decision
    audit = call.services.audit
    audit.recognised(call.caller, AuditAction.VERIFY, request.key, decided.score, accepted=decided.accepted)
    return call.api.write_verify(call, verification)
