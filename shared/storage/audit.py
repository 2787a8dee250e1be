"""The audit trail as rows: one partition for each subscription, keys in the order of time.

Table ``audit``: ``at:<time>:<entry id>``. The record of a change is born elsewhere: in the transaction that makes the
change, as a row ``record:...`` of the same partition. So neither can be without the other, whatever dies in between.
The timer moves these rows here, and a reader sees them where they are. A row that is here is taken away by the timer
when it is older than the subscription keeps its trail.

The record of a recognition stays beside the profile, so that it goes with it; a row found from the profile stands
beside it.

A refusal changes nothing, so its record is written here at once. So is the record of a change of which the request
could not tell how it went; if it was made after all, the record that it left takes that one's place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from shared.domain.audit import Actor, AuditAction, AuditEntry, AuditFilter, ChangedValue, via_key
from shared.domain.page import Page
from shared.domain.profile import ProfileKey
from shared.domain.subscription import KeySlot
from shared.storage.backend.erasing import remove_range, remove_silently
from shared.storage.backend.ports import MAX_CHANGES, Change, Insert, Merge, Row, RowExists, RowMissing, Rows, Value
from shared.storage.backend.row_values import read, written
from shared.storage.layout import (
    RECOGNITION_PREFIX,
    RECORD_PREFIX,
    SUBSCRIPTIONS_PARTITION,
    end_of,
    entry_place,
    profile_row,
    recognised_prefix,
    records_prefix,
    time_in_key,
)

_FIRST: Final = "at:"

LOOKED_AT: Final = 2_000
"""Records that a page looks at which leaves some out: two pages of Azure's."""


def record_of(entry: AuditEntry | None) -> list[Change]:
    """What the transaction that changes something in a subscription's partition also writes."""
    return [] if entry is None else [Insert(RECORD_PREFIX + _place(entry), _values(entry))]


def subscription_record_of(entry: AuditEntry | None) -> list[Change]:
    """The same for what changes the subscription's own row."""
    return [] if entry is None else [Insert(records_prefix(entry.subscription_id) + _place(entry), _values(entry))]


@contextmanager
def written_once(record: Sequence[Change]) -> Iterator[None]:
    """Around the transaction: a record that is there already is this very change, whose first answer was lost."""
    try:
        yield
    except RowExists as conflict:
        if conflict.key not in [change.key for change in record]:
            raise


class RowAuditTrail:
    """Implements ``AuditTrail``. ``voices`` and ``subscriptions`` are the tables whose changes are recorded."""

    def __init__(self, audit: Rows, voices: Rows, subscriptions: Rows) -> None:
        self._rows, self._voices, self._subscriptions = audit, voices, subscriptions

    def record(self, entry: AuditEntry) -> None:
        if entry.action.is_recognition:
            with suppress(RowExists, RowMissing):  # this very write; or the profile was deleted meanwhile
                self._voices.apply(entry.subscription_id, _recognition(entry))
            return
        # The id is new for each entry: a row that exists is this very write, whose first answer was lost.
        with suppress(RowExists):
            self._rows.apply(entry.subscription_id, [Insert(_FIRST + _place(entry), _values(entry))])

    def page(
        self,
        subscription_id: str,
        wanted: AuditFilter,
        *,
        after: str | None,
        limit: int,
    ) -> Page[AuditEntry]:
        start = time_in_key(wanted.since) if wanted.since else ""
        if after is not None:
            start = max(start, f"{after}!")  # the least key behind that entry's
        end = time_in_key(wanted.until) if wanted.until else ""
        if end and start >= end:
            return Page([])
        most = LOOKED_AT if wanted.chooses else limit
        rows = self._between(subscription_id, wanted.action, start, end, most + 1)
        places = sorted(rows)
        entries: list[AuditEntry] = []
        for number, place in enumerate(places[:most], start=1):
            entry = _entry(subscription_id, rows[place])
            if wanted.wants(entry):
                entries.append(entry)
            if len(entries) == limit:
                return Page(entries, place if number < len(places) else None)
        return Page(entries, places[most - 1] if len(places) > most else None)

    def _between(
        self, subscription_id: str, action: AuditAction | None, start: str, end: str, limit: int
    ) -> dict[str, Row]:
        """By their places, ``limit`` from each source that can have the action; ``end`` empty: to the last."""
        recognitions = [(self._voices, subscription_id, RECOGNITION_PREFIX)]
        # What waits is read first: a record that is moved meanwhile is then seen twice, never not at all.
        changes = [
            (self._voices, subscription_id, RECORD_PREFIX),
            (self._subscriptions, SUBSCRIPTIONS_PARTITION, records_prefix(subscription_id)),
            (self._rows, subscription_id, _FIRST),
        ]
        sources = [*changes, *recognitions] if action is None else recognitions if action.is_recognition else changes
        rows: dict[str, Row] = {}
        for table, partition, prefix in sources:
            last = prefix + end if end else end_of(prefix)
            for row in table.query(partition, prefix + start, last, limit=limit):
                rows.setdefault(row.key.removeprefix(prefix), row)
        return rows

    def settle(self, subscription_id: str, limit: int) -> int:
        """Move the oldest records that changes of voices have left into the trail; returns how many."""
        rows = list(self._voices.query(subscription_id, RECORD_PREFIX, end_of(RECORD_PREFIX), limit=limit))
        self._move(subscription_id, rows, RECORD_PREFIX, self._voices)
        return len(rows)

    def settle_subscriptions(self, limit: int) -> int:
        """The same for changes of any subscription's own row."""
        waiting = self._subscriptions.query(SUBSCRIPTIONS_PARTITION, RECORD_PREFIX, end_of(RECORD_PREFIX), limit=limit)
        moved = 0
        for subscription_id, rows in groupby(waiting, lambda row: row.key.split(":")[1]):
            its_rows = list(rows)
            self._move(subscription_id, its_rows, records_prefix(subscription_id), self._subscriptions)
            moved += len(its_rows)
        return moved

    def drop_recognitions(self, subscription_id: str, before: datetime, limit: int) -> int:
        end = RECOGNITION_PREFIX + time_in_key(before)
        pointing = ("kind", "profile_id")
        return remove_range(self._voices, subscription_id, RECOGNITION_PREFIX, end, limit, _pointers, pointing)

    def drop(self, subscription_id: str, before: datetime | None, limit: int) -> int:
        if before is not None:
            return remove_range(self._rows, subscription_id, _FIRST, _FIRST + time_in_key(before), limit)
        waiting = records_prefix(subscription_id)
        dropped = remove_range(self._subscriptions, SUBSCRIPTIONS_PARTITION, waiting, end_of(waiting), limit)
        return dropped or remove_range(self._rows, subscription_id, _FIRST, end_of(_FIRST), limit)

    def _move(self, subscription_id: str, rows: Sequence[Row], prefix: str, source: Rows) -> None:
        """Copied first: a cut in between leaves a record twice, and the next tick takes away the one that waits."""
        for start in range(0, len(rows), MAX_CHANGES):
            batch = rows[start : start + MAX_CHANGES]
            inserts = [Insert(_FIRST + row.key.removeprefix(prefix), row.values) for row in batch]
            try:
                self._rows.apply(subscription_id, inserts)
            except RowExists:
                for insert in inserts:
                    self._put(subscription_id, insert)
            remove_silently(source, batch[0].partition, *(row.key for row in batch))

    def _put(self, subscription_id: str, insert: Insert) -> None:
        """In place of what the request wrote when it could not tell how the change went."""
        try:
            self._rows.apply(subscription_id, [insert])
        except RowExists:
            with suppress(RowMissing):  # older than the trail is kept
                self._rows.apply(subscription_id, [Merge(insert.key, {"reason": "", **insert.values})])


def forget_recognitions(voices: Rows, key: ProfileKey) -> None:
    """Of a profile that is gone: nobody can record another. Safe to run twice and at once."""
    prefix = recognised_prefix(key)

    def recognition(pointer: Row) -> list[str]:
        return [RECOGNITION_PREFIX + pointer.key.removeprefix(prefix)]

    remove_range(voices, key.subscription_id, prefix, end_of(prefix), also=recognition)


def _recognition(entry: AuditEntry) -> list[Change]:
    """With what finds it from the profile, which must be there."""
    row = Insert(RECOGNITION_PREFIX + _place(entry), _values(entry))
    if entry.profile is None:
        return [row]
    pointer = Insert(recognised_prefix(entry.profile) + _place(entry), {})
    return [Merge(profile_row(entry.profile), {}), row, pointer]


def _pointers(recognition: Row) -> list[str]:
    if "profile_id" not in recognition.values:
        return []
    profile = read(recognition, ProfileKey, subscription_id=recognition.partition)
    return [recognised_prefix(profile) + recognition.key.removeprefix(RECOGNITION_PREFIX)]


def _place(entry: AuditEntry) -> str:
    return entry_place(entry.at, entry.entry_id)


def _values(entry: AuditEntry) -> dict[str, Value]:
    values = written(entry, ("at", "action", "outcome", "model_id", "score")) | written(entry.actor)
    if entry.profile is not None:
        values |= written(entry.profile, ("kind", "profile_id"))
    changes = json.dumps([asdict(change) for change in entry.changes]) if entry.changes else ""
    texts = {"reason": entry.reason, "names": ",".join(entry.names), "changes": changes}
    return values | {name: text for name, text in texts.items() if text}


def _entry(subscription_id: str, row: Row) -> AuditEntry:
    names = row.maybe("names", str)
    return read(
        row,
        AuditEntry,
        subscription_id=subscription_id,
        entry_id=row.key.rpartition(":")[2],
        actor=_actor(row),
        reason=row.maybe("reason", str) or "",
        profile=read(row, ProfileKey, subscription_id=subscription_id) if "profile_id" in row.values else None,
        names=tuple(names.split(",")) if names else (),
        changes=tuple(ChangedValue(**change) for change in json.loads(row.maybe("changes", str) or "[]")),
    )


def _actor(row: Row) -> Actor:
    """Rows of earlier versions have the slot of a key alone."""
    actor = read(row, Actor)
    return replace(actor, via=via_key(actor.via)) if actor.via in list(KeySlot) else actor
