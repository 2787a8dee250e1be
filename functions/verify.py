"""Verify: is this recording of the enrolled speaker (saying the enrolled phrase)?"""

from __future__ import annotations

import azure.functions as func

from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.thresholds import for_verification
from shared.services.measure import observed

blueprint = func.Blueprint()


@endpoint(blueprint, "verify", ["POST"])
def verify(call: Call) -> Reply:
    key = call.api.verify_target(call)
    audio = call.audio()
    rules = call.api.verify_rules(call, key.kind)
    use_case = call.services.verify_phrase if key.kind.needs_phrase else call.services.verify_speech
    settings = for_verification(call)
    return call.api.verified(call, observed(lambda: use_case(settings, key, audio, rules)))
