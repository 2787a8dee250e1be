"""Identify: which of the enrolled speakers is it, if any?"""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.audit import AuditAction
from shared.domain.profile import ProfileKey, ProfileKind
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "identify", {"POST": Role.RECOGNISE})
def identify(call: Call) -> Reply:
    request = call.api.read_identify(call)
    call.caller.require_candidates(request.candidates)
    identification = call.services.identify(request)
    named = identification.identified
    owner = call.subscription.subscription_id
    profile = ProfileKey(owner, ProfileKind.IDENTIFICATION, named.profile_id) if named else None
    score = identification.best.decision.score
    call.services.audit.recognised(call.caller, AuditAction.IDENTIFY, profile, score, accepted=named is not None)
    return call.api.write_identify(call, identification)
