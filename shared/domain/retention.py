"""When a profile ends: two clocks, the subscription's policy, and what a profile has of its own.

    expiry = the earlier of   last enrollment + max age   and   last use + max idle time

A profile without enrollments (new, or reset) has neither: both clocks start at its creation or reset. A profile is
gone at the very moment of its expiry, whether or not it is erased yet.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.profile import Profile, RetentionOverride
from shared.domain.subscription import RetentionPolicy, Unset

END_OF_TIME: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""The last day that a timestamp can name: who keeps data for longer keeps it until it is deleted."""


def effective(policy: RetentionPolicy, override: RetentionOverride) -> RetentionPolicy:
    """Each clock is the profile's own where it has one, else the subscription's; at least the operator's minimum."""
    age, idle = override.max_age_days, override.max_idle_days
    return RetentionPolicy(
        _at_least(policy.min_days, policy.max_age_days if isinstance(age, Unset) else age),
        _at_least(policy.min_days, policy.max_idle_days if isinstance(idle, Unset) else idle),
        policy.min_days,
    )


def expiry(profile: Profile, policy: RetentionPolicy) -> datetime | None:
    """When the profile ends under the subscription's policy and its own; ``None`` when it is kept until deleted."""
    own = effective(policy, profile.retention)
    age_from = profile.last_enrolled_at or profile.last_action_at
    ends = (_after(age_from, own.max_age_days), _after(profile.last_action_at, own.max_idle_days))
    return min((end for end in ends if end is not None), default=None)


def has_expired(profile: Profile, policy: RetentionPolicy, at: datetime) -> bool:
    end = expiry(profile, policy)
    return end is not None and end <= at


def with_expiry(profile: Profile, policy: RetentionPolicy) -> Profile:
    return replace(profile, expires_at=expiry(profile, policy))


def _at_least(least: float, days: float | None) -> float | None:
    return None if days is None else max(days, least)


def _after(start: datetime, days: float | None) -> datetime | None:
    if days is None:
        return None
    try:
        end = start + timedelta(days=days)
    except OverflowError:
        return None
    return end if end < END_OF_TIME else None
