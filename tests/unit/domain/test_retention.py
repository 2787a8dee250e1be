"""When a profile ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.profile import Profile, ProfileKey, ProfileKind, RetentionOverride
from shared.domain.retention import effective, expiry, has_expired, with_expiry
from shared.domain.subscription import UNSET, RetentionPolicy

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
ENROLLED, USED = CREATED + timedelta(days=10), CREATED + timedelta(days=25)
KEY = ProfileKey("s", ProfileKind.IDENTIFICATION, "p")
EMPTY = Profile(KEY, "en-US", created_at=CREATED, last_action_at=CREATED)
ACTIVE = replace(EMPTY, last_action_at=USED, last_enrolled_at=ENROLLED, enrollments_count=1)
HUNDRED = RetentionPolicy(100, 100)


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("profile", "policy", "end"),
    [
        (ACTIVE, RetentionPolicy(), None),
        (ACTIVE, RetentionPolicy(max_age_days=30), ENROLLED + days(30)),
        (ACTIVE, RetentionPolicy(max_idle_days=7), USED + days(7)),
        (ACTIVE, RetentionPolicy(30, 7), USED + days(7)),
        (ACTIVE, RetentionPolicy(16, 7), ENROLLED + days(16)),
        (ACTIVE, RetentionPolicy(max_age_days=0.5), ENROLLED + timedelta(hours=12)),
        (EMPTY, RetentionPolicy(max_age_days=3), CREATED + days(3)),
        (EMPTY, RetentionPolicy(max_idle_days=3), CREATED + days(3)),
        (replace(ACTIVE, retention=RetentionOverride(max_age_days=1.0)), HUNDRED, ENROLLED + days(1)),
        (replace(ACTIVE, retention=RetentionOverride(max_age_days=200.0)), HUNDRED, USED + days(100)),
        (replace(ACTIVE, retention=RetentionOverride(None, None)), HUNDRED, None),
        (replace(ACTIVE, retention=RetentionOverride(max_idle_days=2.0)), RetentionPolicy(), USED + days(2)),
        (ACTIVE, RetentionPolicy(1e-9, None, min_days=2.0), ENROLLED + days(2)),
        (ACTIVE, RetentionPolicy(None, None, min_days=2.0), None),
        (replace(ACTIVE, retention=RetentionOverride(None, 0.001)), RetentionPolicy(min_days=2.0), USED + days(2)),
        (ACTIVE, RetentionPolicy(max_age_days=1e6 * 365), None),  # later than a date can say: kept until deleted
        (ACTIVE, RetentionPolicy(max_age_days=1e15), None),
    ],
)
def test_the_earlier_clock_ends_a_profile_at_that_very_moment(
    profile: Profile, policy: RetentionPolicy, end: datetime | None
) -> None:
    assert expiry(profile, policy) == with_expiry(profile, policy).expires_at == end
    if end is None:
        assert not has_expired(profile, policy, datetime.max.replace(tzinfo=UTC))
    else:
        assert not has_expired(profile, policy, end - timedelta(microseconds=1))
        assert has_expired(profile, policy, end)


CLOCKS = st.none() | st.floats(0.1, 1_000)


@given(CLOCKS, CLOCKS, st.just(UNSET) | CLOCKS, st.just(UNSET) | CLOCKS)
def test_each_clock_is_the_profiles_own_where_it_has_one(age: object, idle: object, own: object, other: object) -> None:
    policy = effective(RetentionPolicy(age, idle), RetentionOverride(own, other))  # type: ignore[arg-type]
    assert policy.max_age_days == (age if own is UNSET else own)
    assert policy.max_idle_days == (idle if other is UNSET else other)
