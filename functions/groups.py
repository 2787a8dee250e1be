"""Named groups of identification profiles: what ``profileIds=group:<name>`` chooses from."""

from __future__ import annotations

from shared.domain.access import Role
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.groups import read_member, read_name, write_group
from shared.http.paging import read_page, write_page
from shared.http.reply import Reply
from shared.http.request import GROUP_NAME, PROFILE_ID


@endpoint("groups", {"GET": Role.MANAGE})
def groups(call: Call) -> Reply:
    page = call.services.groups.page(call.subscription.subscription_id, *read_page(call, GROUP_NAME))
    return Reply(200, write_page(call, page, write_group))


@endpoint("group", {"GET": Role.ENROLL, "PUT": Role.MANAGE, "DELETE": Role.MANAGE})
def group(call: Call) -> Reply:
    subscription_id, name, actor = call.subscription.subscription_id, read_name(call), call.caller.actor
    if call.request.method == "PUT":
        group, is_new = call.services.groups.put(actor, subscription_id, name)
        return Reply(201 if is_new else 200, write_group(group))
    if call.request.method == "DELETE":
        call.services.groups.remove(actor, subscription_id, name)
        return Reply(204)
    after, limit = read_page(call, PROFILE_ID)
    group = call.services.groups.get(subscription_id, name)
    members = call.services.groups.members(subscription_id, name, after, limit)
    return Reply(200, {**write_group(group), **write_page(call, members, str, "profileIds")})


@endpoint("group_member", {"PUT": Role.ENROLL, "DELETE": Role.ENROLL})
def group_member(call: Call) -> Reply:
    name, key, actor = read_name(call), read_member(call), call.caller.actor
    if call.request.method == "PUT":
        call.services.groups.add(actor, name, key)
    else:
        call.services.groups.take_out(actor, name, key)
    return Reply(204)
