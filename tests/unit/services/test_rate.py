"""A bucket of tokens for each subscription."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.domain.errors import RateExceeded
from shared.services import rate
from shared.services.rate import BURST_SECONDS, RateLimit


@dataclass
class Time:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def granted(limit: RateLimit, own: float | None = None, subscription_id: str = "mine", tries: int = 1000) -> int:
    """How many in a row go through before one is refused."""
    for number in range(tries):
        try:
            limit.take(subscription_id, own)
        except RateExceeded:
            return number
    return tries


def test_a_burst_then_the_rate() -> None:
    time = Time()
    limit = RateLimit(20.0, time)
    assert granted(limit) == 20 * BURST_SECONDS
    time.seconds += 1.0
    assert granted(limit) == 20
    time.seconds += 3600.0
    assert granted(limit) == 20 * BURST_SECONDS


def test_in_any_time_no_more_than_the_rate_and_one_burst() -> None:
    time = Time()
    limit = RateLimit(20.0, time)
    total = 0
    for _ in range(1000):  # tries far more often than it may
        total += granted(limit, tries=2)
        time.seconds += 0.01
    assert total <= 20 * (10.0 + BURST_SECONDS)
    assert total >= 20 * 10.0


def test_its_own_rate_goes_before_the_deployments_and_without_any_nothing_is_refused() -> None:
    assert granted(RateLimit(20.0, Time()), own=3.0) == granted(RateLimit(None, Time()), own=3.0) == 6
    assert granted(RateLimit(None, Time())) == 1000


def test_a_rate_below_one_a_second_still_lets_one_through() -> None:
    time = Time()
    limit = RateLimit(0.1, time)
    assert granted(limit) == 1
    with pytest.raises(RateExceeded) as refusal:
        limit.take("mine", None)
    assert refusal.value.retry_after_seconds == 10
    time.seconds += refusal.value.retry_after_seconds
    assert granted(limit) == 1


def test_each_subscription_has_a_bucket_and_a_forgotten_one_is_full_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MAX_BUCKETS", 2)
    limit = RateLimit(1.0, Time())
    for name in ("a", "b", "c"):
        assert granted(limit, subscription_id=name) == 2
    assert granted(limit, subscription_id="a") == 2
    assert granted(limit, subscription_id="c") == 0
