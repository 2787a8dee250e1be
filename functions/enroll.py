"""Enroll: a passphrase into a text-dependent profile, any speech into the others."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "enroll", {"POST": Role.ENROLL})
def enroll(call: Call) -> Reply:
    request = call.api.read_enroll(call)
    enrolled = call.services.enroll(request)
    return call.api.write_enroll(call, enrolled)
