"""Identify: which of these enrolled speakers is it, if any?"""

from __future__ import annotations

from dataclasses import replace

import azure.functions as func

from shared.domain.group import Candidates, Everyone, InGroup
from shared.domain.limits import AudioRules
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.thresholds import for_identification
from shared.services.identify import Identification
from shared.services.measure import observed

blueprint = func.Blueprint()


@endpoint(blueprint, "identify", ["POST"])
def identify(call: Call) -> Reply:
    candidates = call.api.candidates(call)
    rules = call.api.identify_rules(call)
    audio = call.audio()
    subscription = replace(call.subscription, settings=for_identification(call))
    return call.api.identified(call, observed(lambda: _identification(call, subscription, candidates, audio, rules)))


def _identification(
    call: Call, subscription: Subscription, candidates: Candidates, audio: Audio, rules: AudioRules
) -> Identification:
    if isinstance(candidates, Everyone | InGroup):
        return call.services.identify_among(subscription, candidates, audio, rules)
    return call.services.identify(subscription, candidates, audio, rules, call.api.same_locale)
