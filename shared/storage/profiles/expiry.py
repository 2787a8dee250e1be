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

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from shared.domain.limits import PENDING_UPLOAD_MINUTES
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.retention import expiry
from shared.domain.subscription import RetentionPolicy
from shared.services.ports import Ids
from shared.storage.backend.compare_and_swap import MAX_ATTEMPTS, Pause, rest
from shared.storage.backend.ports import (
    MAX_CHANGES,
    Change,
    Merge,
    Remove,
    Replace,
    Row,
    RowConflict,
    RowExists,
    RowMissing,
    Rows,
)
from shared.storage.backend.row_values import Fields
from shared.storage.layout import parsed_profile_row, profile_row, profiles_range
from shared.storage.profiles.records import PUBLIC_PROFILE, Version, profile_of
from shared.storage.profiles.removing import Remover
from shared.storage.profiles.schedule import (
    armed,
    expire_due,
    key_in,
    policy_due,
    remove_silently,
    still_needed,
)

Policies: TypeAlias = Callable[[str], RetentionPolicy]
"""The retention policy of a subscription."""


def kept_for_good(subscription_id: str) -> RetentionPolicy:  # noqa: ARG001
    """Where no subscription has a policy."""
    return RetentionPolicy()


WALK_SLICE: Final = 2_000
"""Profiles that one walk looks at in one tick. Ten thousand, a subscription's default limit, are five ticks."""

_TOGETHER: Final = MAX_CHANGES // 3
"""Profiles armed in one transaction: the profile, its new row in the index, the old one."""

SETTLED: Final = timedelta(minutes=PENDING_UPLOAD_MINUTES)
"""By then every request that still knew the old policy is over: 30 s of remembered look-ups, 3 minutes at most for a
function (``host.json``), and room."""


class Expirer:
    """Handles a row that says: look whether this profile has expired. Safe to run twice and side by side."""

    def __init__(self, voices: Rows, remover: Remover, policies: Policies, pause: Pause = rest) -> None:
        self._voices, self._remover, self._policies, self._pause = voices, remover, policies, pause

    def __call__(self, subscription_id: str, due: Row, at: datetime) -> None:
        """Raises ``ProfileBusy`` when the profile is used all the time; the row is then put off."""
        key = key_in(due)
        self._remover.remove(key, at, lambda row: self._is_over(row, due, at), expired=True)
        remove_silently(self._voices, subscription_id, due.key)

    def _is_over(self, row: Row | None, due: Row, at: datetime) -> bool:
        """Whether the profile's time is over; one that lives on is armed for the moment when it will be."""
        if row is None:
            return False
        for attempt in range(MAX_ATTEMPTS):
            profile = profile_of(row, key_in(due).kind)
            if Version.of(profile).armed_at != Fields(due).time("armed_at"):
                return False  # another row looks after the profile by now
            end = expiry(profile, self._policies(row.partition))
            if end is not None and end <= at:
                return True
            changes = _rearmed(row, profile, due, end)
            if attempt:
                changes = still_needed(self._voices, row.partition, changes)
            with suppress(RowConflict):
                self._voices.apply(row.partition, changes)
                return False
            self._pause(attempt)
            row = self._voices.get(row.partition, row.key)
            if row is None:
                return False
        raise RowConflict(due.key)


def _rearmed(row: Row, profile: Profile, due: Row, end: datetime | None) -> list[Change]:
    if end is not None:
        return [Merge(row.key, {"armed_at": end}, row.etag), Remove(due.key), expire_due(end, profile.key)]
    values = {name: value for name, value in row.values.items() if name != "armed_at"}
    return [Replace(row.key, values, row.etag), Remove(due.key)]


class PolicyWalk:
    """Arms the profiles that a new policy ends earlier than they are looked at. Safe to run twice and side by side."""

    def __init__(self, voices: Rows, policies: Policies, ids: Ids, pause: Pause = rest) -> None:
        self._voices, self._policies, self._ids, self._pause = voices, policies, ids, pause

    def begin(self, subscription_id: str, at: datetime) -> None:
        """To be called *before* the policy is changed, so that no crash can leave a change without a walk.

        One walk starts at once; a second one when nobody can write under the old policy any more.
        """
        for start in (at, at + SETTLED):
            with suppress(RowExists):
                self._voices.apply(subscription_id, [policy_due(start, self._ids())])

    def __call__(self, subscription_id: str, due: Row, at: datetime) -> None:  # noqa: ARG002
        """One slice; the row remembers how far it came and goes when the walk is over."""
        rows = self._slice(subscription_id, Fields(due).maybe_text("after"))
        policy = self._policies(subscription_id)
        late = [found for row in rows if (found := _Late.of(row, policy))]
        for start in range(0, len(late), _TOGETHER):
            self._arm(subscription_id, late[start : start + _TOGETHER])
        if len(rows) < WALK_SLICE:
            remove_silently(self._voices, subscription_id, due.key)
            return
        with suppress(RowMissing):
            self._voices.apply(subscription_id, [Merge(due.key, {"after": rows[-1].key})])

    def _slice(self, subscription_id: str, after: str | None) -> list[Row]:
        """Profiles of all kinds behind the row key, in key order."""
        rows: list[Row] = []
        for kind in sorted(ProfileKind, key=lambda kind: kind.value):
            start, end = profiles_range(kind, None)
            if after is not None and after >= end:
                continue
            start = max(start, f"{after}!") if after else start
            left = WALK_SLICE - len(rows)
            if left:
                rows += self._voices.query(subscription_id, start, end, limit=left, select=PUBLIC_PROFILE)
        return rows

    def _arm(self, subscription_id: str, late: Sequence[_Late]) -> None:
        """Many profiles in one transaction; one by one when some of them are being used meanwhile."""
        try:
            self._voices.apply(subscription_id, [change for one in late for change in one.changes])
        except RowConflict:
            for one in late:
                self._arm_busy(one.key)

    def _arm_busy(self, key: ProfileKey) -> None:
        """Raises ``RowConflict`` when the profile is used all the time; the walk is then put off."""
        for attempt in range(MAX_ATTEMPTS):
            row = self._voices.get(key.subscription_id, profile_row(key))
            late = row and _Late.of(row, self._policies(key.subscription_id))
            if not late:
                return
            changes = still_needed(self._voices, key.subscription_id, late.changes)
            with suppress(RowConflict):
                self._voices.apply(key.subscription_id, changes)
                return
            self._pause(attempt)
        raise RowConflict(profile_row(key))


@dataclass(frozen=True)
class _Late:
    """A profile that ends before the timer looks at it."""

    key: ProfileKey
    changes: Sequence[Change]

    @classmethod
    def of(cls, row: Row, policy: RetentionPolicy) -> _Late | None:
        profile = profile_of(row, parsed_profile_row(row.key)[0])
        version = Version.of(profile)
        end, arming = armed(profile.key, version.armed_at, expiry(profile, policy))
        if not arming or end is None:
            return None
        return cls(profile.key, [Merge(row.key, {"armed_at": end}, version.etag), *arming])
