"""How many profiles there are, counted in slices: the tally says how many rows, not how many enrolled or in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.domain.counts import Counts
from shared.domain.retention import has_expired
from shared.storage.backend.ports import Rows
from shared.storage.layout import PROFILES, end_of
from shared.storage.profiles.expiry import WALK_SLICE, Policies
from shared.storage.profiles.records import PUBLIC_PROFILE, profile_of


def count(voices: Rows, policies: Policies, subscription_id: str, so_far: Counts, at: datetime) -> Counts:
    """As ``Upkeep.count``. A profile that has expired and is not erased yet counts no more."""
    start = f"{so_far.after}!" if so_far.after else PROFILES
    rows = list(voices.query(subscription_id, start, end_of(PROFILES), limit=WALK_SLICE, select=PUBLIC_PROFILE))
    policy = policies(subscription_id)
    profiles = [profile for profile in map(profile_of, rows) if not has_expired(profile, policy, at)]
    used = [profile.last_action_at for profile in profiles]
    counts = Counts(
        profiles=so_far.profiles + len(profiles),
        enrolled=so_far.enrolled + sum(profile.is_enrolled for profile in profiles),
        last_used_at=max([*used, *([so_far.last_used_at] if so_far.last_used_at else [])], default=None),
    )
    return replace(counts, after=rows[-1].key) if len(rows) == WALK_SLICE else replace(counts, counted_at=at)
