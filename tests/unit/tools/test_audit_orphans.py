"""The audit of orphans in memory: clean when nothing is wrong, exact about what was planted, and able to mend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from shared.domain.profile import ProfileKey
from shared.storage.backend.ports import Change, Insert, Merge, Remove
from shared.storage.layout import (
    RECOGNISED,
    RECOGNITION_PREFIX,
    SUBSCRIPTIONS_PARTITION,
    TALLY,
    audio_blob,
    challenge_row,
    data_key_row,
    enrollment_row,
    grouped_row,
    key_row,
    member_row,
    pack_blob,
    profile_row,
    records_prefix,
    subscription_row,
)
from shared.storage.profiles.schedule import expire_due
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Failure, ProcessDied, Scissors
from tests.contract.stores import LATER, NOW, enroll, instance, new_id, new_profile, new_subscription
from tools.audit_orphans import Audit, audit
from tools.orphans.findings import Problem
from tools.orphans.repair import repair

GONE = "gone-subscription"


@dataclass
class World:
    """A subscription with a profile of two enrollments with audio, and another subscription beside it."""

    storage: Storage = field(default_factory=Storage.in_memory)
    strays: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.stores: Stores = instance(self.storage)
        self.owner = new_subscription(self.stores)
        self.key: ProfileKey = self.stores.profiles.create(new_profile(self.owner), 10).key
        enroll(self.stores, self.key, seed=1)
        enroll(self.stores, self.key, seed=2)
        enroll(self.stores, self.stores.profiles.create(new_profile(new_subscription(self.stores)), 10).key)

    def audited(self, *, meanwhile: Callable[[], None] = lambda: None) -> Audit:
        return audit(self.storage, lambda: self.strays, lambda: NOW, wait=meanwhile)

    def problems(self) -> list[Problem]:
        return [one.problem for one in self.audited().found]

    def mended(self) -> list[bool]:
        return [repair(self.storage, one) for one in self.audited().found]


def die_behind_the_tombstone(world: World, at: datetime) -> None:
    """A delete whose process is gone after its first transaction."""
    calls = Scissors()
    doomed = world.stores.profiles.create(new_profile(world.owner), 10).key
    enroll(world.stores, doomed)
    instance(world.storage, calls).profiles.delete(doomed, at)
    transaction = calls.calls.index("apply") + 1
    with pytest.raises(ProcessDied):
        instance(world.storage, Scissors(at=transaction, failure=Failure.DIES_AFTER)).profiles.delete(world.key, at)


def test_a_clean_account_has_none() -> None:
    world = World()
    result = world.audited()
    assert result.found == ()
    assert (result.subscriptions, result.blobs, result.pending) == (2, 3, 0)


def test_what_the_timer_has_yet_to_do_is_no_orphan_and_is_reported_after_an_hour() -> None:
    """A delete that died behind its tombstone: enrollments and audio are still there, and will be erased."""
    world = World()
    die_behind_the_tombstone(world, NOW)
    assert len(list(world.storage.audio.names(f"{world.owner}/"))) == 2
    result = world.audited()
    assert (result.found, result.pending) == ((), 1)
    late = World()
    die_behind_the_tombstone(late, NOW - timedelta(hours=1, seconds=1))
    assert late.problems() == [Problem.OVERDUE]


def on_profile(change: Callable[[ProfileKey], Change]) -> Callable[[World], None]:
    return lambda world: world.storage.voices.apply(world.owner, [change(world.key)])


def key_of(owner: str | None) -> Callable[[World], None]:
    """A digest of a key that nobody gave out; without an ``owner`` it is the subscription's."""
    partition, key = key_row(b"\xab" * 32)
    return lambda world: world.storage.keys.apply(partition, [Insert(key, {"subscription_id": owner or world.owner})])


def lost_key(world: World) -> None:
    rows = (row for number in range(256) for row in world.storage.keys.query(f"{number:02x}", " ", "~"))
    entry = next(row for row in rows if row.values["subscription_id"] == world.owner)
    world.storage.keys.apply(entry.partition, [Remove(entry.key)])


def on_subscriptions(change: Callable[[World], Change]) -> Callable[[World], None]:
    return lambda world: world.storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [change(world)])


def member_of_nobody(world: World) -> None:
    changes = [Insert(grouped_row(GONE, "g"), {}), Insert(member_row("g", GONE), {})]
    world.storage.voices.apply(world.owner, changes)


def recognition_of_nobody(world: World) -> None:
    changes = [Insert(f"{RECOGNISED}tii:{GONE}:20261122T120000.000000Z:e", {}), Insert(f"{RECOGNITION_PREFIX}x", {})]
    world.storage.voices.apply(world.owner, changes)


PLANTED: list[tuple[Callable[[World], None], Problem]] = [
    (lambda world: world.storage.audio.put(audio_blob(world.key, 0, new_id()), b"x"), Problem.AUDIO_WITHOUT_ENROLLMENT),
    (
        on_profile(lambda key: Insert(enrollment_row(key, 7, 1), {"embedding": b"x"})),
        Problem.ENROLLMENT_WITHOUT_PROFILE,
    ),
    (on_profile(lambda key: Merge(TALLY, {"profiles": 5})), Problem.TALLY_WRONG),
    (on_profile(lambda key: Merge(profile_row(key), {"armed_at": LATER})), Problem.EXPIRY_UNWATCHED),
    (on_profile(lambda key: expire_due(LATER, replace(key, profile_id=new_id()))), Problem.WATCH_OF_NOBODY),
    (lambda world: world.storage.packs.put(pack_blob(world.owner, new_id()), b"x"), Problem.PACK_WITHOUT_ROW),
    (lambda world: world.storage.packs.put(pack_blob(GONE, new_id()), b"x"), Problem.PACK_WITHOUT_ROW),
    (lambda world: world.storage.turns.put(f"{world.owner}/{new_id()}/x", b"x"), Problem.TURNS_WITHOUT_OPERATION),
    (lambda world: world.storage.turns.put(f"{GONE}/{new_id()}/x", b"x"), Problem.TURNS_WITHOUT_OPERATION),
    (on_profile(lambda _: Insert("turns:0", {"operation_id": new_id()})), Problem.OPEN_WITHOUT_OPERATION),
    (member_of_nobody, Problem.MEMBER_OF_NOBODY),
    (recognition_of_nobody, Problem.RECOGNITION_OF_NOBODY),
    (on_profile(lambda key: Insert(challenge_row(key, 7, 1), {"digits": b"x"})), Problem.LEFT_OF_VERIFY),
    (on_subscriptions(lambda _: Insert(f"{records_prefix(GONE)}x", {})), Problem.LEFT_OF_DELETED),
    (key_of(None), Problem.KEY_STALE),
    (key_of(GONE), Problem.KEY_STALE),
    (lost_key, Problem.KEY_LOST),
    (lambda world: world.storage.voices.apply(GONE, [Insert("profile:tii:x", {"epoch": 0})]), Problem.LEFT_OF_DELETED),
    (lambda world: world.storage.audio.put(f"{GONE}/tii/x/000000/y.flac", b"x"), Problem.LEFT_OF_DELETED),
    (lambda world: world.storage.audit.apply(GONE, [Insert("at:1", {"action": "enroll"})]), Problem.LEFT_OF_DELETED),
    (on_subscriptions(lambda _: Insert(data_key_row(GONE), {"wrapped": b"x"})), Problem.DATA_KEY_ALIVE),
    (
        on_subscriptions(lambda world: Merge(subscription_row(world.owner), {"state": "deleting"})),
        Problem.DATA_KEY_ALIVE,
    ),
]


@pytest.mark.parametrize(("plant", "problem"), PLANTED)
def test_what_was_planted_is_found_alone_and_repaired(plant: Callable[[World], None], problem: Problem) -> None:
    world = World(strays={GONE})
    plant(world)
    assert world.problems() == [problem]
    assert world.mended() == [True]
    assert world.problems() == []


@pytest.mark.parametrize(
    ("lose", "problems"),
    [
        (
            lambda world: world.storage.audio.delete(next(world.storage.audio.names(f"{world.owner}/"))),
            {Problem.ENROLLMENT_WITHOUT_AUDIO},
        ),
        (
            on_profile(lambda key: Remove(enrollment_row(key, 0, 1))),
            {Problem.PROFILE_MISCOUNTED, Problem.AUDIO_WITHOUT_ENROLLMENT},
        ),
        (on_subscriptions(lambda world: Remove(data_key_row(world.owner))), {Problem.DATA_KEY_MISSING}),
        (on_profile(lambda key: Insert("somebody's own", {})), {Problem.UNKNOWN_ROW}),
    ],
)
def test_what_is_lost_is_found_and_left_for_a_person(lose: Callable[[World], None], problems: set[Problem]) -> None:
    world = World()
    lose(world)
    assert set(world.problems()) == problems
    assert False in world.mended()
    assert set(world.problems()) == problems - {Problem.AUDIO_WITHOUT_ENROLLMENT}


def test_what_is_only_under_way_is_gone_at_the_second_look() -> None:
    """An enrollment that was committed between the two looks."""
    world = World()
    name = audio_blob(world.key, 0, new_id())
    world.storage.audio.put(name, b"sealed")
    assert world.audited(meanwhile=lambda: world.storage.audio.delete(name)).found == ()


def test_a_profile_without_a_row_takes_its_enrollments_to_the_orphans() -> None:
    world = World()
    world.storage.voices.apply(world.owner, [Remove(profile_row(world.key)), Merge(TALLY, {"profiles": 0})])
    assert world.problems() == [Problem.ENROLLMENT_WITHOUT_PROFILE] * 2
    world.mended()
    assert world.problems() == [Problem.AUDIO_WITHOUT_ENROLLMENT] * 2
    world.mended()
    assert world.audited().found == ()
    assert list(world.storage.audio.names(f"{world.owner}/")) == []
