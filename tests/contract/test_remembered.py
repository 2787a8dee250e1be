"""Candidates that were asked for before: read once, and seen as they are now, whoever has changed them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest

from shared.domain.errors import ProfileNotFound
from shared.domain.profile import ProfileKey, RetentionOverride, Signature
from shared.domain.subscription import SettingsChange
from shared.storage.layout import profile_row
from shared.storage.profiles.candidates import Candidates
from shared.storage.profiles.change_log import KEPT, trim
from shared.storage.profiles.remembered import Remembered
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import CuttingRows, Scissors
from tests.contract.expiring import DAY, keeping
from tests.contract.stores import NOW, Clock, enroll, instance, new_profile, new_subscription


@dataclass(frozen=True)
class Two:
    """Instances on one storage: this one asks, the other changes. ``calls`` are those of this one."""

    here: Stores
    there: Stores
    calls: list[str]
    keys: list[ProfileKey]

    def seen(self) -> list[float | None]:
        """Seconds of speech of each, as this instance sees them; ``None`` for whoever is not enrolled."""
        return seen(self.here, self.keys)

    @property
    def fresh(self) -> list[float | None]:
        """As somebody sees them who reads for the first time."""
        return [seconds(signature) for _, signature in map(self.there.profiles.get_with_signature, self.keys)]


def seen(stores: Stores, keys: list[ProfileKey]) -> list[float | None]:
    found = stores.profiles.get_many_with_signatures(keys)
    return [seconds(signature) for _, signature in found]


def seconds(signature: Signature | None) -> float | None:
    return signature.speech_seconds if signature else None


@pytest.fixture
def two(storage: Storage) -> Two:
    scissors = Scissors()
    there, here = instance(storage), instance(storage, scissors)
    subscription_id = new_subscription(there)
    keys = [speaker(there, subscription_id, seed) for seed in range(4)]
    two = Two(here, there, scissors.calls, keys)
    two.seen()
    two.calls.clear()
    return two


def speaker(stores: Stores, subscription_id: str, seed: int = 1) -> ProfileKey:
    key = stores.profiles.create(new_profile(subscription_id), 1_000).key
    enroll(stores, key, seed)
    return key


def test_who_was_asked_for_before_costs_one_small_read(two: Two) -> None:
    assert two.seen() == two.fresh
    assert two.calls == ["get"]


def test_of_others_only_those_are_read_that_are_not_known(two: Two) -> None:
    two.keys[2:] = [speaker(two.there, two.keys[0].subscription_id, seed) for seed in (5, 6)]
    assert two.seen() == two.fresh
    assert two.calls == ["get", "query", "get", "get"], "the last change, what has changed, and two of the four"


CHANGES: dict[str, Callable[[Stores, ProfileKey], object]] = {
    "enrolled again": lambda stores, key: enroll(stores, key, 9),
    "reset": lambda stores, key: stores.profiles.reset(key, NOW),
    "consent withdrawn": lambda stores, key: stores.profiles.withdraw_consent(key, NOW),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_another_instance_changes_is_seen_at_once(
    two: Two, change: Callable[[Stores, ProfileKey], object]
) -> None:
    before = two.seen()
    change(two.there, two.keys[1])
    assert two.seen() == two.fresh != before
    two.calls.clear()
    assert two.seen() == two.fresh


def test_who_is_deleted_elsewhere_is_absent_at_once(two: Two) -> None:
    two.there.profiles.delete(two.keys[2], NOW)
    with pytest.raises(ProfileNotFound, match=two.keys[2].profile_id):
        two.seen()


def test_a_retention_of_its_own_counts_at_once(storage: Storage) -> None:
    clock = Clock()
    here, there = (instance(storage, clock=clock) for _ in range(2))
    keys = [speaker(there, new_subscription(there), 1)]
    keys += [speaker(there, keys[0].subscription_id, seed) for seed in (2, 3)]
    seen(here, keys)
    profile = there.profiles.get(keys[0])
    there.profiles.annotate(replace(profile, retention=RetentionOverride(max_age_days=1.0)))
    clock.now = NOW + DAY
    with pytest.raises(ProfileNotFound, match=keys[0].profile_id):
        seen(here, keys)


def test_a_policy_of_the_subscription_counts_at_once(storage: Storage) -> None:
    clock = Clock()
    here = instance(storage, clock=clock)
    subscription_id = new_subscription(here)
    keys = [speaker(here, subscription_id, seed) for seed in range(3)]
    seen(here, keys)
    here.subscriptions.change(subscription_id, SettingsChange(max_age_days=1.0))
    clock.now = NOW + DAY
    with pytest.raises(ProfileNotFound):
        seen(here, keys)


def test_a_use_elsewhere_puts_the_end_off(storage: Storage) -> None:
    clock = Clock()
    here, there = (instance(storage, clock=clock) for _ in range(2))
    subscription_id = keeping(there, idle=1.0)
    keys = [speaker(there, subscription_id, seed) for seed in range(3)]
    seen(here, keys)
    for key in keys:
        there.profiles.touch(key, NOW + timedelta(hours=20))
    clock.now = NOW + timedelta(hours=30)
    assert seen(here, keys) == seen(there, keys)
    clock.now = NOW + timedelta(hours=50)
    with pytest.raises(ProfileNotFound):
        seen(here, keys)


def test_whoever_has_been_away_for_longer_than_the_log_goes_reads_anew(two: Two, storage: Storage) -> None:
    enroll(two.there, two.keys[0], 7)
    enroll(two.there, two.keys[1], 8)
    trim(storage.voices, two.keys[0].subscription_id, 1 + len(two.keys))
    assert len(two.keys) < KEPT, "the timer itself would never take so few"
    assert two.seen() == two.fresh


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_in_whatever_order_is_seen(two: Two, seed: int) -> None:
    random = Random(seed)
    for step in range(12):
        key = random.choice(two.keys)
        random.choice(list(CHANGES.values()))(random.choice([two.here, two.there]), key)
        if random.random() < 0.7:
            assert two.seen() == two.fresh, f"step {step} of seed {seed}"


def test_only_enrolled_ones_are_remembered(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    keys = [stores.profiles.create(new_profile(subscription_id), 10).key for _ in range(3)]
    remembered = Remembered(storage.voices)
    candidates = Candidates(storage.voices, remembered)
    assert all(candidates.rows(keys))
    assert remembered.number == 0
    enroll(stores, keys[0], 1)
    candidates.rows(keys)
    assert remembered.number == 1


def test_a_row_read_before_a_change_that_is_known_meanwhile_is_not_taken(storage: Storage) -> None:
    """Another request has seen the change while this one was still reading."""
    stores = instance(storage)
    key = speaker(stores, new_subscription(stores))
    subscription_id, wanted = key.subscription_id, [profile_row(key)]
    remembered = Remembered(storage.voices)
    upto, known = remembered.rows(subscription_id, wanted)
    assert not known
    old = storage.voices.get(subscription_id, profile_row(key))
    assert old is not None
    enroll(stores, key, 2)
    remembered.rows(subscription_id, wanted)
    remembered.add(subscription_id, upto, [old])
    assert remembered.rows(subscription_id, wanted)[1] == {}


def test_memory_is_bounded_and_the_longest_unused_go_first(storage: Storage) -> None:
    stores = instance(storage)
    households = []
    for _ in range(3):
        subscription_id = new_subscription(stores)
        households.append([speaker(stores, subscription_id, seed) for seed in range(3)])
    scissors = Scissors()
    remembered = Remembered(CuttingRows(storage.voices, scissors), most_rows=6)
    candidates = Candidates(CuttingRows(storage.voices, scissors), remembered)
    for household in households:
        candidates.rows(household)
    assert remembered.number == 6
    scissors.calls.clear()
    candidates.rows(households[2])
    candidates.rows(households[0])
    assert scissors.calls == ["get", "get", "query"]


def test_a_list_that_is_too_long_is_answered_and_not_remembered(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    keys = [speaker(stores, subscription_id, seed) for seed in range(4)]
    remembered = Remembered(storage.voices, most_rows=3)
    assert all(Candidates(storage.voices, remembered).rows(keys))
    assert remembered.number == 0


def test_what_nobody_asks_for_is_forgotten_by_itself(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    keys = [speaker(stores, subscription_id, seed) for seed in range(3)]
    remembered = Remembered(storage.voices, idle_seconds=0.2)
    Candidates(storage.voices, remembered).rows(keys)
    assert remembered.number == 3
    deadline = time.monotonic() + 30
    while remembered.number and time.monotonic() < deadline:
        time.sleep(0.05)
    assert remembered.number == 0
