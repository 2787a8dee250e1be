"""Profiles: create, list, get, delete, reset."""

from __future__ import annotations

import azure.functions as func

from shared.http import request
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "profiles", ["GET", "POST"])
def profiles(call: Call) -> Reply:
    return _create(call) if call.request.method == "POST" else _list(call)


@endpoint(blueprint, "profile", ["GET", "DELETE"])
def profile(call: Call) -> Reply:
    key = call.api.profile_key(call)
    if call.request.method == "DELETE":
        return call.api.deleted(lambda: call.services.erase_profile(call.caller.actor, key))
    return call.api.shown(call, call.services.read_profiles.one(key))


@endpoint(blueprint, "reset", ["POST"])
def reset(call: Call) -> Reply:
    return call.api.was_reset(call, call.services.reset_profile(call.caller.actor, call.api.profile_key(call)))


def _create(call: Call) -> Reply:
    created = call.services.create_profile(call.caller, call.api.kind(call), request.locale(call.request))
    return call.api.created(call, created)


def _list(call: Call) -> Reply:
    asked = call.api.page_request(call)
    found = call.services.read_profiles.page(
        call.subscription.subscription_id, call.api.kind(call), asked.after, asked.limit
    )
    return call.api.listed(call, found)
