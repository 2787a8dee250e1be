"""Phrases: what may be said to a profile."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.services.profiles import phrases_to_say

blueprint = func.Blueprint()


@endpoint(blueprint, "phrases", {"GET": Role.RECOGNISE})
def phrases(call: Call) -> Reply:
    kind, locale = call.api.read_phrases(call)
    return call.api.write_phrases(call, phrases_to_say(call.subscription.settings, kind, locale))
