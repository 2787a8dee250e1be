"""The speaker's permission, recorded on a profile.

Whether there is such a profile is asked before the body is looked at, as where voices are enrolled.
"""

from __future__ import annotations

import azure.functions as func

from shared.http.api import Call
from shared.http.consent import consent_record, consent_shown
from shared.http.endpoint import extension_endpoint
from shared.http.reply import Reply
from shared.http.v2021 import PROFILE

blueprint = func.Blueprint()


@extension_endpoint(blueprint, "consent", f"{PROFILE}/consent", ["GET", "PUT", "DELETE"])
def consent(call: Call) -> Reply:
    key, actor = call.api.read_profile(call), call.caller.actor
    profile = call.services.read_profiles.get(key)
    if call.request.method == "PUT":
        record = consent_record(call, call.services.clock())
        return consent_shown(call.services.record_consent(actor, key, record))
    if call.request.method == "DELETE":
        return consent_shown(call.services.withdraw_consent(actor, key))
    return consent_shown(profile)
