"""Named groups of identification profiles.

A membership is two rows, one found from the group and one found from the profile, written together. Adding somebody
is one transaction with the profile's own row, which must be there and stay as it was: nobody is added who is deleted
at that moment. A profile's tombstone takes its memberships away with its enrollments.

Members stand under the id of the group, not its name: when a group is deleted, its row goes first, and whatever is made
under its name later starts empty, while the timer may still be taking the old members away.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from math import inf
from typing import Final

from shared.domain.audit import AuditEntry
from shared.domain.errors import GroupNotFound, ProfileBusy, ProfileNotFound, StorageUnavailable, TooManyGroups
from shared.domain.group import Group
from shared.domain.profile import ProfileKey
from shared.services.ports.keeping import ProfileStore
from shared.storage.audit import record_of
from shared.storage.backend.cache import TimedCache
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.erasing import remove_range, remove_silently
from shared.storage.backend.ports import Change, Insert, Merge, Remove, Replace, Row, RowConflict, Rows, Value
from shared.storage.layout import (
    GROUP_PREFIX,
    end_of,
    group_row,
    grouped_prefix,
    grouped_row,
    member_row,
    members_prefix,
    profile_row,
)
from shared.storage.profiles.schedule import disband_due

MAX_REMEMBERED: Final = 100
"""Groups whose members stay in memory."""


class RowGroups:
    """Implements ``GroupStore``."""

    def __init__(self, voices: Rows, profiles: ProfileStore) -> None:
        self._voices, self._profiles = voices, profiles
        self._remembered = TimedCache[str, tuple[int, frozenset[str]]](inf, MAX_REMEMBERED)
        """By the group's id: its revision and who was in it then."""

    def put(self, group: Group, maximum: int, record: AuditEntry | None = None) -> bool:
        if self._voices.get(group.subscription_id, group_row(group.name)) is not None:
            return False
        if len(self.page(group.subscription_id, after=None, limit=maximum)) >= maximum:
            raise TooManyGroups(maximum)
        values: dict[str, Value] = {"group_id": group.group_id, "created_at": group.created_at, "revision": 0}
        try:
            self._voices.apply(group.subscription_id, [Insert(group_row(group.name), values), *record_of(record)])
        except RowConflict:
            return self.get(group.subscription_id, group.name).group_id == group.group_id
        return True

    def get(self, subscription_id: str, name: str) -> Group:
        return _group(self._row(subscription_id, name))

    def page(self, subscription_id: str, *, after: str | None, limit: int) -> Sequence[Group]:
        start = GROUP_PREFIX if after is None else f"{group_row(after)}!"
        return [_group(row) for row in self._voices.query(subscription_id, start, end_of(GROUP_PREFIX), limit=limit)]

    def remove(self, subscription_id: str, name: str, at: datetime, record: AuditEntry | None = None) -> None:
        row = self._row(subscription_id, name)
        group_id = _group(row).group_id
        due = disband_due(at, group_id)
        try:
            self._voices.apply(subscription_id, [Remove(row.key), due, *record_of(record)])
        except RowConflict:
            if self._voices.get(subscription_id, due.key) is None:
                raise GroupNotFound(name) from None
        with suppress(StorageUnavailable):  # the timer finishes
            disband(self._voices, Row(subscription_id, due.key, due.values))

    def add(self, name: str, key: ProfileKey, record: AuditEntry | None = None) -> None:
        def attempt() -> None:
            row = self._row(key.subscription_id, name)
            group_id = _group(row).group_id
            self._profiles.get(key)  # raises ProfileNotFound, also for one that has expired
            member = member_row(group_id, key.profile_id)
            if self._voices.get(key.subscription_id, member) is not None:
                return
            added = [Insert(member, {}), Insert(grouped_row(key.profile_id, group_id), {}), *record_of(record)]
            try:
                self._voices.apply(key.subscription_id, [Merge(profile_row(key), {}), *added, _revised(row)])
            except RowConflict as conflict:
                if conflict.key == profile_row(key):
                    raise ProfileNotFound(key.profile_id) from None
                raise

        compare_and_swap(attempt, ProfileBusy(key.profile_id))

    def take_out(self, name: str, key: ProfileKey, record: AuditEntry | None = None) -> None:
        def attempt() -> None:
            row = self._row(key.subscription_id, name)
            group_id = _group(row).group_id
            member = member_row(group_id, key.profile_id)
            if self._voices.get(key.subscription_id, member) is not None:
                removed = [Remove(member), Remove(grouped_row(key.profile_id, group_id))]
                self._voices.apply(key.subscription_id, [*removed, _revised(row), *record_of(record)])

        compare_and_swap(attempt, ProfileBusy(key.profile_id))

    def members(self, subscription_id: str, name: str, *, after: str | None, limit: int | None) -> Sequence[str]:
        return self._members(subscription_id, self.get(subscription_id, name).group_id, after, limit)

    def all_members(self, subscription_id: str, name: str) -> Collection[str]:
        """One read while nobody is added or taken out."""
        row = self._row(subscription_id, name)
        group_id, revision = _group(row).group_id, row.get("revision", int)
        remembered = self._remembered.get(group_id)
        if remembered is not None and remembered[0] == revision:
            return remembered[1]
        members = frozenset(self._members(subscription_id, group_id, None, None))
        self._remembered.forget(group_id)  # an earlier revision is of no use: members may be many
        self._remembered.load(group_id, lambda: (revision, members))
        return members

    def _members(self, subscription_id: str, group_id: str, after: str | None, limit: int | None) -> list[str]:
        prefix = members_prefix(group_id)
        start = prefix if after is None else f"{prefix}{after}!"
        rows = self._voices.query(subscription_id, start, end_of(prefix), limit=limit, select=())
        return [row.key.removeprefix(prefix) for row in rows]

    def _row(self, subscription_id: str, name: str) -> Row:
        row = self._voices.get(subscription_id, group_row(name))
        if row is None:
            raise GroupNotFound(name)
        return row


def _group(row: Row) -> Group:
    name = row.key.removeprefix(GROUP_PREFIX)
    return Group(row.partition, name, row.get("group_id", str), row.get("created_at", datetime))


def _revised(row: Row) -> Change:
    """The group as it was, with a new number for who remembers its members."""
    return Replace(row.key, {**row.values, "revision": row.get("revision", int) + 1}, row.etag)


def disband(voices: Rows, due: Row) -> None:
    """Does what the row says that a deleted group leaves: nobody can be added to it. Safe to run twice and at once."""
    group_id = due.get("group_id", str)
    prefix = members_prefix(group_id)

    def grouped(member: Row) -> list[str]:
        return [grouped_row(member.key.removeprefix(prefix), group_id)]

    remove_range(voices, due.partition, prefix, end_of(prefix), also=grouped)
    remove_silently(voices, due.partition, due.key)


def leave_groups(voices: Rows, key: ProfileKey) -> None:
    """Take the profile, which is gone, out of every group: nobody can add it. Safe to run twice and at once."""
    prefix = grouped_prefix(key.profile_id)

    def member(grouped: Row) -> list[str]:
        return [member_row(grouped.key.removeprefix(prefix), key.profile_id)]

    remove_range(voices, key.subscription_id, prefix, end_of(prefix), also=member)
