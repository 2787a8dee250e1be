"""How long one profile is kept, where that differs from its subscription.

Whether there is such a profile is asked before the body is looked at, as where voices are enrolled.
"""

from __future__ import annotations

from typing import Final

import azure.functions as func

from shared.domain.profile import RetentionOverride
from shared.http.api import Call
from shared.http.endpoint import extension_endpoint
from shared.http.profile_retention import retention_answer, retention_override
from shared.http.reply import Reply
from shared.http.v2021 import PROFILE

blueprint = func.Blueprint()

AS_SUBSCRIPTION: Final = RetentionOverride()


@extension_endpoint(blueprint, "profile_retention", f"{PROFILE}/retention", ["GET", "PUT", "DELETE"])
def profile_retention(call: Call) -> Reply:
    key = call.api.read_profile(call)
    profile = call.services.read_profiles.get(key)
    if call.request.method != "GET":
        own = retention_override(call) if call.request.method == "PUT" else AS_SUBSCRIPTION
        profile = call.services.change_profile_retention(call.caller.actor, key, own)
    return retention_answer(profile, call.subscription.settings.retention)
