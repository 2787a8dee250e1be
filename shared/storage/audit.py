"""The audit trail as rows: one partition for each subscription, keys in the order of time.

Table ``audit``: ``at:<time>:<entry id>``. A row is inserted and never changed; the timer takes it away when it is older
than the subscription keeps its trail.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from shared.domain.audit import Actor, AuditAction, AuditEntry, AuditOutcome, Via
from shared.domain.page import Page
from shared.domain.profile import ProfileKey, ProfileKind
from shared.services.ports import Ids
from shared.storage.backend.ports import MAX_CHANGES, Insert, Remove, Row, RowExists, RowMissing, Rows, Value

_FIRST: Final = "at:"
_END: Final = "at;"
_TIME: Final = "%Y%m%dT%H%M%S.%fZ"


class RowAuditTrail:
    """Implements ``AuditTrail``."""

    def __init__(self, audit: Rows) -> None:
        self._rows = audit

    def record(self, entry: AuditEntry) -> None:
        # The id is new for each entry: a row that exists is this very write, whose first answer was lost.
        with suppress(RowExists):
            self._rows.apply(entry.subscription_id, [Insert(f"{_from(entry.at)}:{entry.entry_id}", _values(entry))])

    def page(
        self,
        subscription_id: str,
        *,
        since: datetime | None,
        until: datetime | None,
        after: str | None,
        limit: int,
    ) -> Page[AuditEntry]:
        start = _from(since) if since else _FIRST
        if after is not None:
            start = max(start, f"{_FIRST}{after}!")  # the least key behind that entry's
        end = _from(until) if until else _END
        rows = list(self._rows.query(subscription_id, start, end, limit=limit + 1)) if start < end else []
        page = Page.cut(rows, limit, lambda row: row.key.removeprefix(_FIRST))
        return Page([_entry(row) for row in page.items], page.after)

    def drop(self, subscription_id: str, before: datetime | None, limit: int) -> int:
        dropped = 0
        while dropped < limit:
            size = min(MAX_CHANGES, limit - dropped)
            end = _from(before) if before else _END
            rows = list(self._rows.query(subscription_id, _FIRST, end, limit=size, select=()))
            with suppress(RowMissing):  # another instance's timer took some meanwhile: read again
                self._rows.apply(subscription_id, [Remove(row.key) for row in rows])
                dropped += len(rows)
            if len(rows) < size:
                break
        return dropped


def expiry_recorder(trail: RowAuditTrail, ids: Ids) -> Callable[[ProfileKey, datetime], None]:
    """Records that a profile was removed because its time was over; told twice, it writes the same record.

    Raises ``StorageUnavailable``: the tombstone then stays, and the timer comes to it again.
    """

    def record(key: ProfileKey, at: datetime) -> None:
        actor = Actor(Via.TIMER, ids())
        trail.record(
            AuditEntry(key.subscription_id, key.profile_id, at, actor, AuditAction.EXPIRE_PROFILE, profile=key)
        )

    return record


def _from(moment: datetime) -> str:
    """The least key of that moment."""
    return f"{_FIRST}{moment.astimezone(UTC).strftime(_TIME)}"


def _values(entry: AuditEntry) -> dict[str, Value]:
    values: dict[str, Value | None] = {
        "at": entry.at,
        "via": entry.actor.via.value,
        "request_id": entry.actor.request_id,
        "action": entry.action.value,
        "outcome": entry.outcome.value,
        "reason": entry.reason or None,
        "kind": entry.profile.kind.value if entry.profile else None,
        "profile_id": entry.profile.profile_id if entry.profile else None,
        "model_id": entry.model_id,
        "names": ",".join(entry.names) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _entry(row: Row) -> AuditEntry:
    profile_id = row.maybe("profile_id", str)
    return AuditEntry(
        subscription_id=row.partition,
        entry_id=row.key.rpartition(":")[2],
        at=row.get("at", datetime),
        actor=Actor(Via(row.get("via", str)), row.get("request_id", str)),
        action=AuditAction(row.get("action", str)),
        outcome=AuditOutcome(row.get("outcome", str)),
        reason=row.maybe("reason", str) or "",
        profile=ProfileKey(row.partition, ProfileKind(row.get("kind", str)), profile_id) if profile_id else None,
        model_id=row.maybe("model_id", str),
        names=tuple(filter(None, (row.maybe("names", str) or "").split(","))),
    )
