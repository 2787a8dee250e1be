"""The audit trail as rows: one partition for each subscription, keys in the order of time.

Table ``audit``: ``at:<time>:<entry id>``. A row is inserted and never changed; the timer takes it away when it is older
than the subscription keeps its trail.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.domain.audit import TIMER, Actor, AuditAction, AuditEntry, via_key
from shared.domain.page import Page
from shared.domain.profile import ProfileKey
from shared.domain.subscription import KeySlot
from shared.services.ports import Ids
from shared.storage.backend.ports import MAX_CHANGES, Insert, Remove, Row, RowExists, RowMissing, Rows, Value
from shared.storage.backend.row_values import read, written
from shared.storage.layout import time_in_key

_FIRST: Final = "at:"
_END: Final = "at;"


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
        actor = Actor(TIMER, ids())
        trail.record(
            AuditEntry(key.subscription_id, key.profile_id, at, actor, AuditAction.EXPIRE_PROFILE, profile=key)
        )

    return record


def _from(moment: datetime) -> str:
    """The least key of that moment."""
    return f"{_FIRST}{time_in_key(moment)}"


def _values(entry: AuditEntry) -> dict[str, Value]:
    values = written(entry, ("at", "action", "outcome", "model_id")) | written(entry.actor)
    if entry.profile is not None:
        values |= written(entry.profile, ("kind", "profile_id"))
    texts = {"reason": entry.reason, "names": ",".join(entry.names)}
    return values | {name: text for name, text in texts.items() if text}


def _entry(row: Row) -> AuditEntry:
    names = row.maybe("names", str)
    return read(
        row,
        AuditEntry,
        subscription_id=row.partition,
        entry_id=row.key.rpartition(":")[2],
        actor=_actor(row),
        reason=row.maybe("reason", str) or "",
        profile=read(row, ProfileKey, subscription_id=row.partition) if "profile_id" in row.values else None,
        names=tuple(names.split(",")) if names else (),
    )


def _actor(row: Row) -> Actor:
    """Rows of earlier versions have the slot of a key alone."""
    actor = read(row, Actor)
    return replace(actor, via=via_key(actor.via)) if actor.via in list(KeySlot) else actor
