"""Named groups of identification profiles: what ``profileIds=group:<name>`` chooses from."""

from __future__ import annotations

import azure.functions as func

from shared.http import groups as wire
from shared.http import paging
from shared.http.api import Call
from shared.http.endpoint import extension_endpoint
from shared.http.reply import Reply
from shared.http.request import GROUP_NAME

blueprint = func.Blueprint()


@extension_endpoint(blueprint, "groups", "groups", ["GET"])
def groups(call: Call) -> Reply:
    after, limit = paging.position(call.request, GROUP_NAME), paging.page_size(call.request)
    return wire.listed(call, call.services.read_groups.page(call.subscription.subscription_id, after, limit))


@extension_endpoint(blueprint, "group", "groups/{name}", ["GET", "PUT", "DELETE"])
def group(call: Call) -> Reply:
    subscription_id, name, actor = call.subscription.subscription_id, wire.name(call), call.caller.actor
    if call.request.method == "PUT":
        return wire.put(*call.services.change_groups.put(actor, subscription_id, name))
    if call.request.method == "DELETE":
        call.services.change_groups.remove(actor, subscription_id, name)
        return Reply(204)
    after, limit = paging.position(call.request, wire.MEMBER), paging.page_size(call.request)
    found = call.services.read_groups.one(subscription_id, name)
    return wire.shown(call, found, call.services.read_groups.members(subscription_id, name, after, limit))


@extension_endpoint(blueprint, "group_member", "groups/{name}/profiles/{profileId}", ["PUT", "DELETE"])
def group_member(call: Call) -> Reply:
    name, key, actor = wire.name(call), wire.member(call), call.caller.actor
    if call.request.method == "PUT":
        call.services.change_groups.add(actor, name, key)
    else:
        call.services.change_groups.take_out(actor, name, key)
    return Reply(204)
