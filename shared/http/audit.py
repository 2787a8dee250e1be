"""The wire of the audit trail, which the customer reads with a key and the operator without one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from shared.domain.audit import AuditAction, AuditEntry, AuditFilter
from shared.domain.errors import IdMalformed, ParameterInvalid, ParameterUnsupported
from shared.domain.json_values import moment
from shared.domain.page import Page
from shared.domain.profile import ProfileKind
from shared.domain.times import date
from shared.http.paging import PAGE_NAMES, read_page, write_page
from shared.http.request import Received, guid
from shared.services.audit import Audit

ENTRY: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z:[a-z0-9-]{1,64}")
"""Where a page of the audit trail starts: the time and id of the entry before it."""

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""No record is older; a time before it means from the beginning."""

PARAMETERS: Final = ("profileId", "action", "from", "to", PAGE_NAMES.size, PAGE_NAMES.token)

OF_THE_HOST: Final = ("code", "clientId")
"""The functions host takes its key from a query too."""

_KINDS: Final = {
    ProfileKind.TEXT_DEPENDENT_VERIFICATION: "verification/text-dependent",
    ProfileKind.TEXT_INDEPENDENT_VERIFICATION: "verification/text-independent",
    ProfileKind.IDENTIFICATION: "identification/text-independent",
}


def audit_page(call: Received, audit: Audit, subscription_id: str, also: Sequence[str] = ()) -> dict[str, object]:
    """The page that the query asks for; it may have the parameters ``also``.

    Raises ``ParameterUnsupported``, ``ParameterInvalid``, ``ContinuationInvalid``.
    """
    known = {name.lower() for name in (*PARAMETERS, *also)}
    for name in call.request.params:
        if name.lower() not in known:
            raise ParameterUnsupported(name[:64])
    after, limit = read_page(call, ENTRY)
    page: Page[AuditEntry] = audit.page(subscription_id, _filter(call), after, limit)
    return write_page(call, page, write_entry)


def write_entry(entry: AuditEntry) -> dict[str, object]:
    """Every record has every field; what does not apply is null."""
    return {
        "id": entry.entry_id,
        "dateTime": date(entry.at),
        "action": entry.action.value,
        "outcome": entry.outcome.value,
        "reason": entry.reason or None,
        "caller": entry.actor.via,
        "requestId": entry.actor.request_id,
        "profileKind": _KINDS[entry.profile.kind] if entry.profile else None,
        "profileId": entry.profile.profile_id if entry.profile else None,
        "model": entry.model_id,
        "names": list(entry.names),
        "score": entry.score,
        "changes": [asdict(change) for change in entry.changes],
    }


def _filter(call: Received) -> AuditFilter:
    return AuditFilter(
        since=_moment(call, "from"),
        until=_moment(call, "to"),
        profile_id=_profile_id(call),
        action=_action(call),
    )


def _moment(call: Received, name: str) -> datetime | None:
    received = call.parameter(name)
    rule = "It must be a date or a time in ISO 8601, such as 2026-11-22T12:00:00Z."
    return max(EARLIEST, moment(name, received, rule)) if received else None


def _profile_id(call: Received) -> str | None:
    received = call.parameter("profileId")
    try:
        return guid(received) if received else None
    except IdMalformed as error:
        raise ParameterInvalid("profileId", str(received), "It must be the id of a profile.") from error


def _action(call: Received) -> AuditAction | None:
    received = call.parameter("action")
    try:
        return AuditAction(received) if received else None
    except ValueError as error:
        raise ParameterInvalid("action", str(received), f"Valid values are {', '.join(AuditAction)}.") from error
