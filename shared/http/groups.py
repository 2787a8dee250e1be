"""Groups on the wire."""

from __future__ import annotations

import re
from typing import Final

from shared.domain.errors import ParameterInvalid
from shared.domain.group import Group
from shared.domain.profile import ProfileKey, ProfileKind
from shared.http import paging, request
from shared.http.api import Call
from shared.http.reply import Reply, date
from shared.services.groups import GroupPage, MemberPage

MEMBER: Final = re.compile(r"[0-9a-f-]{36}")


def name(call: Call) -> str:
    """The group that the path names; upper and lower case are different names. Raises ``ParameterInvalid``."""
    received = call.path("name")
    if not request.GROUP_NAME.fullmatch(received):
        raise ParameterInvalid("name", received, request.GROUP_NAME_RULE)
    return received


def member(call: Call) -> ProfileKey:
    return call.key(ProfileKind.IDENTIFICATION, request.guid(call.path("profileId")))


def put(group: Group, is_new: bool) -> Reply:
    return Reply(201 if is_new else 200, _group(group))


def shown(call: Call, group: Group, page: MemberPage) -> Reply:
    body: dict[str, object] = {**_group(group), "profileIds": list(page.profile_ids)}
    if page.more:
        body["nextLink"] = paging.next_link(call.base_url, call.request, page.profile_ids[-1])
    return Reply(200, body)


def listed(call: Call, page: GroupPage) -> Reply:
    body: dict[str, object] = {"value": [_group(one) for one in page.groups]}
    if page.more:
        body["nextLink"] = paging.next_link(call.base_url, call.request, page.groups[-1].name)
    return Reply(200, body)


def _group(group: Group) -> dict[str, object]:
    return {"name": group.name, "createdDateTime": date(group.created_at)}
