"""Identify: which of these enrolled speakers is it, if any?"""

from __future__ import annotations

import azure.functions as func

from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.wire import Call

blueprint = func.Blueprint()


@endpoint(blueprint, "identify", ["POST"])
def identify(call: Call) -> Reply:
    candidates = call.wire.candidates(call)
    rules = call.wire.identify_rules(call)
    audio = call.audio()
    same_locale = call.wire.same_locale
    return call.wire.identified(
        call, lambda: call.services.identify(call.subscription, candidates, audio, rules, same_locale)
    )
