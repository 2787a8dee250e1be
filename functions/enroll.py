"""Enroll: a passphrase into a text-dependent profile, any speech into the others."""

from __future__ import annotations

import azure.functions as func

from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.services.measure import observed

blueprint = func.Blueprint()


@endpoint(blueprint, "enroll", ["POST"])
def enroll(call: Call) -> Reply:
    key = call.api.profile_key(call)
    audio = call.audio()
    if key.kind.needs_phrase:
        rules = call.api.phrase_enroll_rules
        enrolled = observed(lambda: call.services.enroll_phrase(call.caller, key, audio, rules))
        return call.api.phrase_enrolled(call, enrolled())
    speech_rules = call.api.speech_enroll_rules(call)
    return call.api.speech_enrolled(
        call, observed(lambda: call.services.enroll_speech(call.caller, key, audio, speech_rules))
    )
