"""What is noted on a profile beside its voice: the speaker's consent, and how long the profile is kept.

Whether there is such a profile is asked before the body is looked at, as where voices are enrolled.
"""

from __future__ import annotations

from typing import Final

import azure.functions as func

from shared.domain.profile import RetentionOverride
from shared.http import notes
from shared.http.endpoint import extension_endpoint
from shared.http.extension import PROFILE
from shared.http.reply import Reply
from shared.http.wire import Call

blueprint = func.Blueprint()


@extension_endpoint(blueprint, "consent", f"{PROFILE}/consent", ["GET", "PUT", "DELETE"])
def consent(call: Call) -> Reply:
    key, actor = call.wire.profile_key(call), call.caller.actor
    profile = call.services.read_profiles.one(key)
    if call.request.method == "PUT":
        record = notes.consent_record(call, call.services.clock())
        return notes.consent_shown(call.services.record_consent(actor, key, record))
    if call.request.method == "DELETE":
        return notes.consent_shown(call.services.withdraw_consent(actor, key))
    return notes.consent_shown(profile)


@extension_endpoint(blueprint, "profile_retention", f"{PROFILE}/retention", ["GET", "PUT", "DELETE"])
def profile_retention(call: Call) -> Reply:
    key = call.wire.profile_key(call)
    profile = call.services.read_profiles.one(key)
    if call.request.method != "GET":
        own = notes.retention_override(call) if call.request.method == "PUT" else AS_SUBSCRIPTION
        profile = call.services.change_profile_retention(call.caller.actor, key, own)
    return notes.retention_answer(profile, call.subscription.settings.retention)


AS_SUBSCRIPTION: Final = RetentionOverride()
