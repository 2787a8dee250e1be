"""Profiles: create, list, get, delete, reset."""

from __future__ import annotations

import azure.functions as func

from shared.http import request, v1
from shared.http.endpoint import Call, endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, name="profiles", route=f"{v1.PREFIX}/{v1.COLLECTION}", methods=["GET", "POST"])
def profiles(call: Call) -> Reply:
    return _create(call) if call.request.method == "POST" else _list(call)


@endpoint(blueprint, name="profile", route=f"{v1.PREFIX}/{v1.COLLECTION}/{{profileId}}", methods=["GET", "DELETE"])
def profile(call: Call) -> Reply:
    key = v1.profile_key(call)
    if call.request.method == "DELETE":
        call.services.erase_profile(key)
        return Reply(200)
    return Reply(200, v1.profile(call.services.read_profiles.one(key)))


@endpoint(blueprint, name="profile_reset", route=f"{v1.PREFIX}/{v1.COLLECTION}/{{profileId}}/reset", methods=["POST"])
def reset(call: Call) -> Reply:
    call.services.reset_profile(v1.profile_key(call))
    return Reply(200)


def _create(call: Call) -> Reply:
    family = v1.family(call)
    created = call.services.create_profile(call.subscription, family.kind, request.locale(call.request))
    return Reply(200, {family.id_name: created.key.profile_id})


def _list(call: Call) -> Reply:
    found = call.services.read_profiles.all(call.subscription.subscription_id, v1.family(call).kind)
    return Reply(200, [v1.profile(one) for one in found])
