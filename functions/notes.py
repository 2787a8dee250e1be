"""What is noted on a profile: the speaker's permission, and how long the profile is kept.

Whether there is such a profile is asked before the body is looked at, as where voices are enrolled.
"""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.profile import RetentionOverride
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.notes import read_consent, read_retention, write_consent, write_retention
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "consent", dict.fromkeys(("GET", "PUT", "DELETE"), Role.ENROLL))
def consent(call: Call) -> Reply:
    key, actor, services = call.api.read_profile(call), call.caller.actor, call.services
    profile = services.profiles.get(key)
    if call.request.method == "PUT":
        profile = services.notes.record_consent(actor, key, read_consent(call, services.clock()))
    elif call.request.method == "DELETE":
        profile = services.notes.withdraw_consent(actor, key)
    return write_consent(profile)


@endpoint(blueprint, "profile_retention", dict.fromkeys(("GET", "PUT", "DELETE"), Role.MANAGE))
def profile_retention(call: Call) -> Reply:
    key, actor, services = call.api.read_profile(call), call.caller.actor, call.services
    profile = services.profiles.get(key)
    if call.request.method == "PUT":
        profile = services.notes.change_retention(actor, key, read_retention(call))
    elif call.request.method == "DELETE":  # as the subscription has it again
        profile = services.notes.change_retention(actor, key, RetentionOverride())
    return write_retention(profile, call.subscription.settings.retention)
