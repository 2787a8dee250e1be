"""The index of expiry: the timer reads the profiles whose time may be over, and no others.

A profile that a policy touches is *armed*: a row that falls due no later than its expiry, written in the same
transaction as the profile, which names it. Using the profile, enrolling more or lengthening the policy moves the
expiry, not the row: when the row falls due, the timer works the expiry out anew, and removes the profile or arms it
again. So a verify writes nothing for it, and a profile without a policy costs nothing.

A policy that becomes shorter must arm profiles that are not, or too late. That is a walk over the subscription's
profiles in slices, from a row of its own. Until the walk comes by, an expired profile is absent all the same: the
expiry is worked out at every reading.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

from shared.domain.audit import TIMER, Actor, AuditAction, AuditEntry
from shared.domain.profile import Profile
from shared.domain.retention import expiry
from shared.domain.subscription import RetentionPolicy
from shared.services.ports.clock_and_ids import Ids
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import MAX_CHANGES, Change, Merge, Remove, Replace, Row, Rows
from shared.storage.layout import PROFILES, end_of
from shared.storage.profiles.records import PUBLIC_PROFILE, Version, profile_of
from shared.storage.profiles.removal import Remover
from shared.storage.profiles.schedule import armed, end_slice, expire_due, key_in

Policies: TypeAlias = Callable[[str], RetentionPolicy]
"""The retention policy of a subscription."""

WALK_SLICE: Final = 2_000
"""Profiles that one walk looks at in one tick. Ten thousand, a subscription's default limit, are five ticks."""

_PAGE: Final = MAX_CHANGES // 3
"""Profiles armed in one transaction: the profile, its new row in the index, the old one."""


class Expirer:
    """Handles a row that says: look whether this profile has expired. Safe to run twice and at once."""

    def __init__(self, voices: Rows, remover: Remover, policies: Policies, ids: Ids) -> None:
        self._voices, self._remover, self._policies, self._ids = voices, remover, policies, ids

    def __call__(self, due: Row, at: datetime) -> None:
        """Raises ``ProfileBusy`` when the profile is used all the time; the row is then put off."""
        key, actor = key_in(due), Actor(TIMER, self._ids())
        record = AuditEntry(due.partition, self._ids(), at, actor, AuditAction.EXPIRE_PROFILE, profile=key)
        self._remover.remove(key, at, lambda row: self._is_over(row, due, at), record)
        remove_silently(self._voices, due.partition, due.key)

    def _is_over(self, row: Row | None, due: Row, at: datetime) -> bool:
        """Whether the profile's time is over; one that lives on is armed for the moment when it will be."""
        if row is None or row.maybe("armed_at", datetime) != due.get("armed_at", datetime):
            return False  # another row looks after the profile by now
        profile = profile_of(row)
        end = expiry(profile, self._policies(row.partition))
        if end is not None and end <= at:
            return True
        self._voices.apply(row.partition, _rearmed(row, profile, due, end))
        return False


def _rearmed(row: Row, profile: Profile, due: Row, end: datetime | None) -> list[Change]:
    if end is not None:
        return [Merge(row.key, {"armed_at": end}, row.etag), Remove(due.key), expire_due(end, profile.key)]
    values = {name: value for name, value in row.values.items() if name != "armed_at"}
    return [Replace(row.key, values, row.etag), Remove(due.key)]


def walk_policy(voices: Rows, policies: Policies, walk: Row) -> None:
    """Arms the profiles that a new policy ends earlier than they are looked at, one slice of them.

    Safe to run twice and at once.
    """
    policy, after = policies(walk.partition), walk.maybe("after", str)
    for _ in range(0, WALK_SLICE, _PAGE):
        after = compare_and_swap(partial(_arm_page, voices, walk.partition, after, policy))
        if after is None:
            break
    end_slice(voices, walk, after)


def _arm_page(voices: Rows, subscription_id: str, after: str | None, policy: RetentionPolicy) -> str | None:
    """The key of the last profile behind ``after`` that was looked at, all kinds in key order; ``None`` at the end.

    ``RowConflict`` when one of them was used meanwhile.
    """
    start = f"{after}!" if after else PROFILES
    rows = list(voices.query(subscription_id, start, end_of(PROFILES), limit=_PAGE, select=PUBLIC_PROFILE))
    voices.apply(subscription_id, [change for row in rows for change in _arming(row, policy)])
    return rows[-1].key if len(rows) == _PAGE else None


def _arming(row: Row, policy: RetentionPolicy) -> list[Change]:
    """Nothing for a profile that does not end before the timer looks at it."""
    profile = profile_of(row)
    end, arming = armed(profile.key, Version.of(profile).armed_at, expiry(profile, policy))
    return [Merge(row.key, {"armed_at": end}, row.etag), *arming] if arming and end is not None else []
