"""Profiles: create, list, get, delete, reset, what may be said to them, and what is noted on them.

Whether there is such a profile is asked before the body of a note is looked at, as where voices are enrolled.
"""

from __future__ import annotations

from shared.domain.access import Role
from shared.domain.profile import RetentionOverride
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.notes import read_consent, read_retention, write_consent, write_retention
from shared.http.reply import Reply
from shared.services.profiles import phrases_to_say


@endpoint("profiles", {"GET": Role.RECOGNISE, "POST": Role.ENROLL})
def profiles(call: Call) -> Reply:
    return _create(call) if call.request.method == "POST" else _list(call)


@endpoint("profile", {"GET": Role.RECOGNISE, "DELETE": Role.ENROLL})
def profile(call: Call) -> Reply:
    key = call.api.read_profile(call)
    if call.request.method == "DELETE":
        call.services.profiles.erase(call.caller.actor, key)
        return call.api.write_delete(call)
    return call.api.write_profile(call, call.services.profiles.get(key))


@endpoint("reset", {"POST": Role.ENROLL})
def reset(call: Call) -> Reply:
    key = call.api.read_profile(call)
    profile = call.services.profiles.reset(call.caller.actor, key)
    return call.api.write_reset(call, profile)


@endpoint("phrases", {"GET": Role.RECOGNISE})
def phrases(call: Call) -> Reply:
    kind, locale = call.api.read_phrases(call)
    return call.api.write_phrases(call, phrases_to_say(call.subscription.settings, kind, locale))


@endpoint("consent", dict.fromkeys(("GET", "PUT", "DELETE"), Role.ENROLL))
def consent(call: Call) -> Reply:
    """The speaker's permission."""
    key, actor, services = call.api.read_profile(call), call.caller.actor, call.services
    profile = services.profiles.get(key)
    if call.request.method == "PUT":
        profile = services.notes.record_consent(actor, key, read_consent(call, services.clock()))
    elif call.request.method == "DELETE":
        profile = services.notes.withdraw_consent(actor, key)
    return write_consent(profile)


@endpoint("profile_retention", dict.fromkeys(("GET", "PUT", "DELETE"), Role.MANAGE))
def profile_retention(call: Call) -> Reply:
    """How long the profile is kept."""
    key, actor, services = call.api.read_profile(call), call.caller.actor, call.services
    profile = services.profiles.get(key)
    if call.request.method == "PUT":
        profile = services.notes.change_retention(actor, key, read_retention(call))
    elif call.request.method == "DELETE":  # as the subscription has it again
        profile = services.notes.change_retention(actor, key, RetentionOverride())
    return write_retention(profile, call.subscription.settings.retention)


def _create(call: Call) -> Reply:
    kind, locale = call.api.read_create(call)
    profile = call.services.profiles.create(call.caller, kind, locale)
    return call.api.write_create(call, profile)


def _list(call: Call) -> Reply:
    call.caller.require_profile(None)
    kind, after, limit = call.api.read_list(call)
    page = call.services.profiles.page(call.subscription.subscription_id, kind, after, limit)
    return call.api.write_list(call, page)
