"""Groups on the wire."""

from __future__ import annotations

from shared.domain.errors import ParameterInvalid
from shared.domain.group import Group
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.times import date
from shared.http import request
from shared.http.api import Call


def read_name(call: Call) -> str:
    """The group that the path names; upper and lower case are different names. Raises ``ParameterInvalid``."""
    received = call.path("name")
    if not request.GROUP_NAME.fullmatch(received):
        raise ParameterInvalid("name", received, request.GROUP_NAME_RULE)
    return received


def read_member(call: Call) -> ProfileKey:
    return call.key(ProfileKind.IDENTIFICATION, request.guid(call.path("profileId")))


def write_group(group: Group) -> dict[str, object]:
    return {"name": group.name, "createdDateTime": date(group.created_at)}
