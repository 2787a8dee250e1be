"""Every storage call of a long recording's life fails once, in every way: beginning, slices, ends, removal, expiry.

Whatever was cut, the next ticks bring it to the same result or leave nothing; nothing of it outlives its end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.domain.errors import OperationNotFound, SourceExpired, StorageUnavailable
from shared.domain.heard_speech import STEP
from shared.domain.long_operation import LongStatus
from shared.domain.profile import ProfileKind
from shared.domain.subscription import KeySlot, Subscription
from shared.services.audit import Audit
from shared.services.enroll import EnrollRequest
from shared.services.long_turns import WINDOWS, LongTurns
from shared.services.turns import TurnsWanted
from shared.storage.backend.ports import Row
from shared.storage.profiles.long_operations import LEASED
from shared.storage.stores import Storage
from tests.chaos.service import CUSTOMER, OPERATOR, Service, start
from tests.contract.cutting import Failure, ProcessDied, Scissors, cuts
from tests.contract.stores import NOW, Clock, instance, new_id
from tests.unit.services import spoken
from tests.unit.services.meetings import URL, Meeting, timer, use_cases
from tests.unit.services.spoken import AT_ONCE, Spoken
from tools.audit_orphans import audit
from tools.orphans.findings import Problem

PIECES = [0.0] * WINDOWS + [180.0] * WINDOWS
OWNER = "mine"


@dataclass
class Scene:
    storage: Storage
    clock: Clock
    service: Service
    profile_id: str
    meeting: Meeting
    operation_id: str = ""

    def long_turns(self, scissors: Scissors | None = None) -> LongTurns:
        return use_cases(instance(self.storage, scissors, self.clock), self.clock, new_id)

    def begin(self, scissors: Scissors | None = None) -> None:
        long_turns = self.long_turns(scissors)
        wanted = TurnsWanted(self.subscription, [self.profile_id])
        self.operation_id = long_turns.begin(CUSTOMER, wanted, URL, None).operation_id

    def tick(self, scissors: Scissors | None = None) -> int:
        """One slice of one piece. ``Sweep`` goes on behind what it cannot name, so a death is raised again."""
        stores = instance(self.storage, scissors, self.clock)
        trail = Audit(stores.trail, self.clock, new_id)
        done = timer(use_cases(stores, self.clock, new_id), stores, trail, self.meeting, pieces=1)()
        if scissors is not None and scissors.reached and scissors.failure in (Failure.DIES_BEFORE, Failure.DIES_AFTER):
            raise ProcessDied
        return done

    def tick_until_done(self) -> None:
        for _ in range(12):
            self.clock.now += LEASED
            self.tick()

    def retain(self, minutes: float = 0.0) -> None:
        self.clock.now += timedelta(minutes=minutes)
        upkeep = instance(self.storage, clock=self.clock).upkeep
        while upkeep.sweep(OWNER, self.clock.now, 100):
            pass

    @property
    def subscription(self) -> Subscription:
        return self.service.stores.subscriptions.get(OWNER)

    def rows(self) -> list[Row]:
        return [row for row in self.storage.voices.query(OWNER, " ", "~") if "turns" in row.key]

    def blobs(self) -> list[str]:
        return list(self.storage.turns.names(f"{OWNER}/"))

    def assert_no_orphans(self) -> None:
        """The timer that takes away has not come for a while, which is no fault here."""
        found = audit(self.storage, lambda: [OWNER], lambda: self.clock.now, wait=lambda: None).found
        assert [one for one in found if one.problem is not Problem.OVERDUE] == []

    def assert_erased(self) -> None:
        self.retain()
        self.retain(minutes=11)
        assert [row.key for row in self.rows()] == []
        assert self.blobs() == []


def scene() -> Scene:
    storage, clock = Storage.in_memory(), Clock()
    service = start(storage, clock)
    mine = Subscription(OWNER, created_at=NOW)
    caller = spoken.caller(service.stores.subscriptions.create(mine, {KeySlot.PRIMARY: "mine primary"}))
    key = service.profiles.create(caller, ProfileKind.IDENTIFICATION, "en-us").key
    service.enroll(EnrollRequest(caller, key, Spoken().audio, AT_ONCE))
    return Scene(storage, clock, service, key.profile_id, Meeting(PIECES))


def slices(count: int) -> Callable[[Scene], None]:
    """Begun, and so many slices further: two hear, the third names."""

    def before(scene: Scene) -> None:
        scene.begin()
        for _ in range(count):
            scene.tick()
        scene.clock.now += LEASED

    return before


def lost(scene: Scene) -> None:
    slices(1)(scene)
    scene.meeting.refused[scene.meeting.read[-1] + WINDOWS * STEP] = SourceExpired(403)


def over(scene: Scene) -> None:
    scene.clock.now = NOW + timedelta(hours=24)


def half_heard_for_a_day(scene: Scene) -> None:
    slices(1)(scene)
    over(scene)


def named_a_day_ago(scene: Scene) -> None:
    slices(3)(scene)
    over(scene)


def remove(scene: Scene, scissors: Scissors) -> None:
    scene.long_turns(scissors).remove(OWNER, scene.operation_id)


def expire(scene: Scene, scissors: Scissors) -> None:
    instance(scene.storage, scissors, scene.clock).upkeep.sweep(OWNER, scene.clock.now, 100)
    if scissors.reached:
        raise ProcessDied


def begun_or_not(scene: Scene, finished: bool) -> None:
    operations = [row.key.split(":", 3)[3] for row in scene.rows() if row.key.startswith("due:")]
    assert len(operations) == 1 or not (finished or operations)
    assert len(scene.rows()) == 2 * len(operations)
    if operations:
        scene.operation_id = operations[0]
        named(scene, finished)


def named(scene: Scene, finished: bool) -> None:
    scene.tick_until_done()
    operation, result = scene.long_turns().get(scene.subscription, scene.operation_id)
    assert (operation.status, operation.failure) == (LongStatus.SUCCEEDED, None)
    assert result is not None
    assert [speaker.speaker for speaker in result.speakers] == [scene.profile_id, "unknown-1"]
    assert_only_the_result_is_left(scene, blobs=1)


def failed(scene: Scene, finished: bool) -> None:
    scene.tick_until_done()
    operation, _ = scene.long_turns().get(scene.subscription, scene.operation_id)
    assert operation.failure is not None
    assert operation.failure.name == "SourceExpired"
    assert_only_the_result_is_left(scene, blobs=0)


def assert_only_the_result_is_left(scene: Scene, blobs: int) -> None:
    scene.retain()
    scene.retain(minutes=11)
    assert [row.key.split(":")[0] for row in scene.rows()] == ["due"]
    assert len(scene.blobs()) == blobs
    assert b"secret-signature" not in repr([dict(row.values) for row in scene.rows()]).encode()


def removed_or_not(scene: Scene, finished: bool) -> None:
    """What was not removed is removed now: a cut leaves no half that the next attempt cannot take away."""
    try:
        scene.long_turns().remove(OWNER, scene.operation_id)
        assert not finished
    except OperationNotFound:
        scene.tick_until_done()
    scene.assert_erased()


def expired(scene: Scene, finished: bool) -> None:
    with pytest.raises(OperationNotFound):
        scene.long_turns().get(scene.subscription, scene.operation_id)
    assert scene.tick() == 0
    scene.assert_erased()


@dataclass(frozen=True)
class Change:
    name: str
    before: Callable[[Scene], None]
    run: Callable[[Scene, Scissors], object]
    after: Callable[[Scene, bool], None]


CHANGES = [
    Change("begin", lambda scene: None, lambda scene, scissors: scene.begin(scissors), begun_or_not),
    Change("first-slice", slices(0), lambda scene, scissors: scene.tick(scissors), named),
    Change("second-slice", slices(1), lambda scene, scissors: scene.tick(scissors), named),
    Change("naming", slices(2), lambda scene, scissors: scene.tick(scissors), named),
    Change("failing", lost, lambda scene, scissors: scene.tick(scissors), failed),
    Change("remove-open", slices(1), remove, removed_or_not),
    Change("remove-named", slices(3), remove, removed_or_not),
    Change("expire-open", half_heard_for_a_day, expire, expired),
    Change("expire-named", named_a_day_ago, expire, expired),
]


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_cut_at_any_call_loses_nothing_and_leaves_nothing(change: Change, failure: Failure, long_form: bool) -> None:
    """The short form cuts at every third call."""
    for scissors in cuts(failure, step=1 if long_form else 3, least=1):
        on = scene()
        change.before(on)
        finished = False
        with suppress(ProcessDied, StorageUnavailable):
            change.run(on, scissors)
            finished = True
        on.assert_no_orphans()
        change.after(on, finished)
        on.assert_no_orphans()


@pytest.mark.parametrize("failure", [Failure.DIES_BEFORE, Failure.DIES_AFTER], ids=lambda failure: failure.name.lower())
def test_slices_that_are_all_killed_end_all_the_same(failure: Failure) -> None:
    """Each tick dies one call later than the one before; in between one may end."""
    on = scene()
    on.begin()
    for at in range(1, 8):
        with suppress(ProcessDied):
            on.tick(Scissors(at=at, failure=failure))
        on.clock.now += LEASED
    named(on, True)


@pytest.mark.parametrize("done", [1, 3], ids=["half-heard", "named"])
def test_a_deleted_subscription_keeps_nothing_of_it(done: int) -> None:
    on = scene()
    slices(done)(on)
    assert len(on.blobs()) == 1
    on.service.manage.delete(OPERATOR, OWNER)
    assert on.tick() == 0
    while on.service.retain():
        pass
    assert (on.rows(), on.blobs()) == ([], [])


def test_a_writer_that_comes_too_late_writes_nothing_that_stays() -> None:
    """Its lease is over, another instance has gone on, and the operation is removed before it wakes up."""
    on = scene()
    on.begin()
    late, store = on.long_turns().store.lease(OWNER, 0, on.clock.now), on.long_turns().store
    assert late is not None
    on.clock.now += LEASED
    on.tick()
    with pytest.raises(OperationNotFound):
        store.save(late, b"late", 1, on.clock.now)
    assert len(on.blobs()) == 1
    on.long_turns().remove(OWNER, on.operation_id)
    with pytest.raises(OperationNotFound):
        store.succeed(late, b"late", on.clock.now)
    assert on.blobs() == []
    on.storage.turns.put(f"{OWNER}/{on.operation_id}/killed-before-it-noticed", b"sealed")
    on.assert_no_orphans()
    on.assert_erased()
