"""Profiles: create, list, get, delete, reset."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "profiles", {"GET": Role.RECOGNISE, "POST": Role.ENROLL})
def profiles(call: Call) -> Reply:
    return _create(call) if call.request.method == "POST" else _list(call)


@endpoint(blueprint, "profile", {"GET": Role.RECOGNISE, "DELETE": Role.ENROLL})
def profile(call: Call) -> Reply:
    key = call.api.read_profile(call)
    if call.request.method == "DELETE":
        call.services.profiles.erase(call.caller.actor, key)
        return call.api.write_delete(call)
    return call.api.write_profile(call, call.services.profiles.get(key))


@endpoint(blueprint, "reset", {"POST": Role.ENROLL})
def reset(call: Call) -> Reply:
    key = call.api.read_profile(call)
    profile = call.services.profiles.reset(call.caller.actor, key)
    return call.api.write_reset(call, profile)


def _create(call: Call) -> Reply:
    kind, locale = call.api.read_create(call)
    profile = call.services.profiles.create(call.caller, kind, locale)
    return call.api.write_create(call, profile)


def _list(call: Call) -> Reply:
    call.caller.require_profile(None)
    kind, after, limit = call.api.read_list(call)
    page = call.services.profiles.page(call.subscription.subscription_id, kind, after, limit)
    return call.api.write_list(call, page)
