"""The log of changes: numbered in the order of the commits, without gaps, whatever the clocks say."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from shared.domain.profile import ProfileKey, ProfileKind, RetentionOverride
from shared.storage.backend.ports import Remove, Rows
from shared.storage.layout import change_row
from shared.storage.profiles.change_log import News, last_change, logged, news, trim
from shared.storage.stores import Storage, Stores
from tests.contract.comparing import new_speaker
from tests.contract.expiring import keeping, sweep
from tests.contract.stores import NOW, Clock, enroll, instance, new_profile, new_subscription


def add(rows: Rows, subscription_id: str, *profile_ids: str) -> None:
    for one in profile_ids:
        rows.apply(subscription_id, logged(rows, ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, one)))


def test_changes_are_numbered_without_gaps_and_a_reader_gets_what_lies_behind_what_it_knows(rows: Rows) -> None:
    assert news(rows, "s", 0) == News(last=0, floor=0, changed={})
    assert not news(rows, "s", 0).misses(0)
    add(rows, "s", "a", "b", "a")
    assert news(rows, "s", 0) == News(last=3, floor=0, changed={3: "a", 2: "b", 1: "a"})
    assert news(rows, "s", 2) == News(last=3, floor=2, changed={3: "a"})
    assert news(rows, "s", 3) == News(last=3, floor=3, changed={})


def test_other_kinds_are_not_logged(rows: Rows) -> None:
    for kind in (ProfileKind.TEXT_DEPENDENT_VERIFICATION, ProfileKind.TEXT_INDEPENDENT_VERIFICATION):
        assert logged(rows, ProfileKey("s", kind, "a")) == []


def test_who_knows_less_than_what_is_left_has_missed_something(rows: Rows) -> None:
    add(rows, "s", "a", "b", "c", "d")
    assert trim(rows, "s", 2) == 2
    assert news(rows, "s", 1).misses(1)
    assert not news(rows, "s", 2).misses(2)
    assert news(rows, "s", 2).since(2) == {"c", "d"}


def test_a_hole_in_the_log_is_seen(rows: Rows) -> None:
    add(rows, "s", "a", "b", "c")
    rows.apply("s", [Remove(change_row(2))])
    said = news(rows, "s", 0)
    assert (said.floor, said.misses(1), said.misses(2)) == (2, True, False)


def test_who_knows_more_than_there_ever_was_has_missed_something(rows: Rows) -> None:
    """Another table than the one it knew, put back by hand: its gallery is worth nothing."""
    add(rows, "s", "a")
    assert news(rows, "s", 5).misses(5)


def test_trimming_takes_more_than_one_transaction_holds(rows: Rows) -> None:
    add(rows, "s", *(str(number) for number in range(130)))
    assert trim(rows, "s", 120) == 120
    assert sorted(news(rows, "s", 120).changed) == list(range(121, 131))


def test_the_head_stays_when_everything_is_trimmed(rows: Rows) -> None:
    add(rows, "s", "a", "b")
    trim(rows, "s", 2)
    add(rows, "s", "c")
    assert news(rows, "s", 2) == News(last=3, floor=2, changed={3: "c"})


def test_writers_at_once_get_numbers_of_their_own(storage: Storage) -> None:
    """Six instances with clocks an hour apart: nothing of the order comes from a clock."""
    subscription_id = new_subscription(instance(storage))
    instances = [instance(storage, clock=Clock(NOW + timedelta(hours=number))) for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        keys = list(threads.map(lambda one: new_speaker(one, subscription_id), instances))
    said = news(storage.voices, subscription_id, 0)
    assert sorted(said.changed) == list(range(1, 7))
    assert set(said.changed.values()) == {key.profile_id for key in keys}


def test_whatever_changes_who_is_a_candidate_is_logged(stores: Stores, subscription_id: str, storage: Storage) -> None:
    key = new_speaker(stores, subscription_id)
    own = RetentionOverride(max_age_days=1.0)
    changes: list[Callable[[], object]] = [
        lambda: enroll(stores, key, 2),
        lambda: stores.profiles.annotate(replace(stores.profiles.get(key), retention=own)),
        lambda: stores.profiles.reset(key, NOW),
        lambda: enroll(stores, key, 3),
        lambda: stores.profiles.withdraw_consent(key, NOW),
        lambda: enroll(stores, key, 4),
        lambda: stores.profiles.delete(key, NOW),
    ]
    for number, change in enumerate(changes, start=1):
        assert last_change(storage.voices, subscription_id) == number
        change()
    assert last_change(storage.voices, subscription_id) == 8


def test_an_expiry_is_logged_with_the_removal(stores: Stores, storage: Storage) -> None:
    subscription_id = keeping(stores, age=1.0)
    key = new_speaker(stores, subscription_id)
    sweep(instance(storage, clock=Clock(NOW + timedelta(days=1))), subscription_id, NOW + timedelta(days=1))
    assert news(storage.voices, subscription_id, 1).since(1) == {key.profile_id}


def test_what_no_gallery_can_hold_is_not_logged(stores: Stores, subscription_id: str, storage: Storage) -> None:
    """A profile that was never enrolled, and a use."""
    empty = stores.profiles.create(new_profile(subscription_id), 10).key
    stores.profiles.touch(empty, NOW)
    stores.profiles.reset(empty, NOW)
    stores.profiles.delete(empty, NOW)
    assert last_change(storage.voices, subscription_id) == 0
