"""Groups on the wire, and how a request names everybody or a group as the candidates of an identify."""

from __future__ import annotations

import re
from typing import Final

from shared.domain.errors import ParameterInvalid
from shared.domain.group import Everyone, Group, InGroup
from shared.domain.profile import ProfileKey, ProfileKind
from shared.http import paging, request
from shared.http.api import Call
from shared.http.reply import Reply, date
from shared.services.groups import GroupPage, MemberPage

NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
MEMBER: Final = re.compile(r"[0-9a-f-]{36}")

EVERYONE: Final = "*"
GROUP: Final = "group:"
_RULE: Final = "A group's name has 1 to 64 letters, digits and dashes."


def among(parameter: str, received: str | None) -> Everyone | InGroup | None:
    """``*`` is everyone and ``group:<name>`` a group; ``None`` for a list of ids. Raises ``ParameterInvalid``."""
    text = (received or "").strip()
    if text == EVERYONE:
        return Everyone()
    if not text.lower().startswith(GROUP):
        return None
    if not NAME.fullmatch(text[len(GROUP) :]):
        raise ParameterInvalid(parameter, text, _RULE)
    return InGroup(text[len(GROUP) :])


def name(call: Call) -> str:
    """The group that the path names; upper and lower case are different names. Raises ``ParameterInvalid``."""
    received = call.path("name")
    if not NAME.fullmatch(received):
        raise ParameterInvalid("name", received, _RULE)
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
