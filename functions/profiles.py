"""Profiles: create, list, get, delete, reset."""

from __future__ import annotations

import azure.functions as func

from shared.http import request
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.wire import Call

blueprint = func.Blueprint()


@endpoint(blueprint, "profiles", ["GET", "POST"])
def profiles(call: Call) -> Reply:
    return _create(call) if call.request.method == "POST" else _list(call)


@endpoint(blueprint, "profile", ["GET", "DELETE"])
def profile(call: Call) -> Reply:
    key = call.wire.profile_key(call)
    if call.request.method == "DELETE":
        return call.wire.deleted(lambda: call.services.erase_profile(call.caller.actor, key))
    return call.wire.shown(call, call.services.read_profiles.one(key))


@endpoint(blueprint, "reset", ["POST"])
def reset(call: Call) -> Reply:
    return call.wire.was_reset(call, call.services.reset_profile(call.caller.actor, call.wire.profile_key(call)))


def _create(call: Call) -> Reply:
    created = call.services.create_profile(call.caller, call.wire.kind(call), request.locale(call.request))
    return call.wire.created(call, created)


def _list(call: Call) -> Reply:
    asked = call.wire.page_request(call)
    found = call.services.read_profiles.page(
        call.subscription.subscription_id, call.wire.kind(call), asked.after, asked.limit
    )
    return call.wire.listed(call, found)
