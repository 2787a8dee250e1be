"""When a profile ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind, RetentionOverride
from shared.domain.retention import effective, expiry, has_expired, with_expiry
from shared.domain.subscription import RetentionPolicy

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
ENROLLED = CREATED + timedelta(days=10)
USED = CREATED + timedelta(days=25)
KEY = ProfileKey("s", ProfileKind.IDENTIFICATION, "p")
EMPTY = Profile(KEY, "en-US", created_at=CREATED, last_action_at=CREATED)
ACTIVE = Profile(
    KEY,
    "en-US",
    created_at=CREATED,
    last_action_at=USED,
    last_enrolled_at=ENROLLED,
    status=EnrollmentStatus.ENROLLED,
    enrollments_count=1,
)


def kept(profile: Profile, **override: float | None) -> Profile:
    return Profile(**{**vars(profile), "retention": RetentionOverride(**override)})


@pytest.mark.parametrize(
    ("policy", "end"),
    [
        (RetentionPolicy(), None),
        (RetentionPolicy(max_age_days=30), ENROLLED + timedelta(days=30)),
        (RetentionPolicy(max_idle_days=7), USED + timedelta(days=7)),
        (RetentionPolicy(max_age_days=30, max_idle_days=7), USED + timedelta(days=7)),
        (RetentionPolicy(max_age_days=16, max_idle_days=7), ENROLLED + timedelta(days=16)),
        (RetentionPolicy(max_age_days=0.5), ENROLLED + timedelta(hours=12)),
    ],
)
def test_the_earlier_clock_ends_a_profile(policy: RetentionPolicy, end: datetime | None) -> None:
    assert expiry(ACTIVE, policy) == end
    assert with_expiry(ACTIVE, policy).expires_at == end


@pytest.mark.parametrize("policy", [RetentionPolicy(max_age_days=3), RetentionPolicy(max_idle_days=3)])
def test_both_clocks_of_an_empty_profile_start_at_its_creation(policy: RetentionPolicy) -> None:
    assert expiry(EMPTY, policy) == CREATED + timedelta(days=3)


def test_a_profile_is_gone_at_the_very_moment_of_its_expiry() -> None:
    policy = RetentionPolicy(max_age_days=1)
    end = ENROLLED + timedelta(days=1)
    assert not has_expired(ACTIVE, policy, end - timedelta(microseconds=1))
    assert has_expired(ACTIVE, policy, end)


def test_without_a_policy_nothing_ever_expires() -> None:
    assert not has_expired(ACTIVE, RetentionPolicy(), datetime.max.replace(tzinfo=UTC))


def test_a_profiles_own_clock_goes_before_the_subscriptions() -> None:
    policy = RetentionPolicy(max_age_days=100, max_idle_days=100)
    assert expiry(kept(ACTIVE, max_age_days=1.0), policy) == ENROLLED + timedelta(days=1)
    assert expiry(kept(ACTIVE, max_age_days=200.0), policy) == USED + timedelta(days=100)


def test_a_profile_can_be_kept_against_the_subscriptions_policy() -> None:
    policy = RetentionPolicy(max_age_days=1, max_idle_days=1)
    assert expiry(kept(ACTIVE, max_age_days=None, max_idle_days=None), policy) is None
    assert effective(policy, RetentionOverride(max_age_days=None)) == RetentionPolicy(None, 1)


def test_a_profile_can_end_where_the_subscription_keeps() -> None:
    assert expiry(kept(ACTIVE, max_idle_days=2.0), RetentionPolicy()) == USED + timedelta(days=2)


@pytest.mark.parametrize("days", [1e6 * 365, 1e15])
def test_longer_than_a_date_can_say_is_until_deleted(days: float) -> None:
    assert expiry(ACTIVE, RetentionPolicy(max_age_days=days)) is None
