"""A bucket of tokens for each subscription, and how many instances share its rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from shared.domain.errors import RateExceeded, StorageUnavailable
from shared.services import rate
from shared.services.presence import BEAT_SECONDS, Presence
from shared.services.rate import BURST_SECONDS, RateLimit

NOW = datetime(2026, 11, 22, tzinfo=UTC)


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
    limit = RateLimit(20.0, lambda: 1, time)
    assert granted(limit) == 20 * BURST_SECONDS
    time.seconds += 1.0
    assert granted(limit) == 20
    time.seconds += 3600.0
    assert granted(limit) == 20 * BURST_SECONDS


def test_in_any_time_no_more_than_the_rate_and_one_burst() -> None:
    time = Time()
    limit = RateLimit(20.0, lambda: 1, time)
    total = 0
    for _ in range(1000):  # tries far more often than it may
        total += granted(limit, tries=2)
        time.seconds += 0.01
    assert total <= 20 * (10.0 + BURST_SECONDS)
    assert total >= 20 * 10.0


def test_its_own_rate_goes_before_the_deployments() -> None:
    assert granted(RateLimit(20.0, lambda: 1, Time()), own=3.0) == 6
    assert granted(RateLimit(None, lambda: 1, Time()), own=3.0) == 6


def test_without_any_rate_nothing_is_refused_and_nobody_counted() -> None:
    def instances() -> int:
        raise AssertionError("nobody needs to know")

    assert granted(RateLimit(None, instances, Time())) == 1000


def test_subscriptions_do_not_take_each_others_tokens() -> None:
    limit = RateLimit(20.0, lambda: 1, Time())
    assert granted(limit, subscription_id="mine") == 40
    assert granted(limit, subscription_id="yours") == 40


def test_instances_share_the_rate() -> None:
    time = Time()
    shares = [RateLimit(20.0, lambda: 4, time) for _ in range(4)]
    assert sum(granted(one) for one in shares) == 40
    time.seconds += 1.0
    assert sum(granted(one) for one in shares) == 20


def test_a_share_below_one_a_second_still_lets_one_through() -> None:
    time = Time()
    limit = RateLimit(1.0, lambda: 10, time)
    assert granted(limit) == 1
    with pytest.raises(RateExceeded) as refusal:
        limit.take("mine", None)
    assert refusal.value.retry_after_seconds == 10
    time.seconds += refusal.value.retry_after_seconds
    assert granted(limit) == 1


def test_forgotten_buckets_are_full_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MAX_BUCKETS", 2)
    limit = RateLimit(1.0, lambda: 1, Time())
    for name in ("a", "b", "c"):
        assert granted(limit, subscription_id=name) == 2
    assert granted(limit, subscription_id="a") == 2
    assert granted(limit, subscription_id="c") == 0


@dataclass
class Counted:
    """Stands for storage, which ``tests/contract/test_instances.py`` tests."""

    number: int = 1
    fails: bool = False
    beats: list[str] = field(default_factory=list)

    def beat(self, instance_id: str, at: datetime) -> int:
        self.beats.append(instance_id)
        if self.fails:
            raise StorageUnavailable
        return self.number


def at_once(work: Callable[[], None]) -> None:
    work()


def presence(counted: Counted, time: Time) -> Presence:
    return Presence(counted, "me", lambda: NOW, time, at_once)


def test_one_beat_in_thirty_seconds_however_many_requests() -> None:
    counted, time = Counted(number=3), Time()
    present = presence(counted, time)
    assert [present() for _ in range(100)] == [3] * 100
    assert counted.beats == ["me"]
    time.seconds += BEAT_SECONDS
    counted.number = 5
    assert present() == 5
    assert counted.beats == ["me", "me"]


def test_without_requests_there_is_no_beat() -> None:
    counted, time = Counted(), Time()
    presence(counted, time)
    time.seconds += 10 * BEAT_SECONDS
    assert counted.beats == []


def test_the_last_number_stands_while_storage_does_not_answer() -> None:
    counted, time = Counted(number=4), Time()
    present = presence(counted, time)
    present()
    counted.fails, time.seconds = True, time.seconds + BEAT_SECONDS
    assert present() == 4
    assert present() == 4
    assert len(counted.beats) == 2
