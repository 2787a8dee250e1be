"""Every storage call of every change in a subscription's life fails once, in every way; then the timer runs.

All five tables, the audio and the packs can fail. After the cut the caller does what callers do: a process that died is
restarted, a request that was answered with an error may be repeated. Whatever happened, a change is on record exactly
when it is made, the operator's audit of orphans finds nothing, and the other subscription is byte for byte what it was.
On memory for every call; Azurite runs a sample.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.domain.audit import AuditAction, AuditFilter, AuditOutcome
from shared.domain.errors import StorageUnavailable, TimbreError
from shared.domain.subscription import KeySlot, SettingsChange
from shared.storage.backend.account import StorageAccount
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, subscription_row
from shared.storage.stores import Storage
from tests.chaos.changes import CHANGES, NAMED, Change, begun
from tests.chaos.holding import SHORT, nothing_is_left_of_a_deleted_one
from tests.chaos.service import (
    OPERATOR,
    Scene,
    all_of,
    has_data_key,
    orphans,
    pack,
    packed,
    readable,
    run_timer,
    scene,
    start,
)
from tests.contract.cutting import MORE_CALLS_THAN_ANY_CHANGE, Failure, ProcessDied, Scissors, cuts
from tests.contract.stores import NOW, instance

FAILURES = pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
DEATHS = pytest.mark.parametrize(
    "failure", [Failure.DIES_BEFORE, Failure.DIES_AFTER], ids=lambda failure: failure.name.lower()
)


def staged(change: Change, storage: Storage | None = None) -> Scene:
    on = scene(storage or Storage.in_memory())
    change.before(on)
    if change.action:
        on.clock.now = NOW + timedelta(seconds=1)  # what is recorded from here on comes last
    return on


def attempt(scene: Scene, change: Change, scissors: Scissors) -> bool:
    try:
        change.run(start(scene.storage, scene.clock, scissors), scene)
    except (ProcessDied, StorageUnavailable):
        return False
    return True


def records(scene: Scene, action: AuditAction, subscription_id: str) -> int:
    """Of changes that were made."""
    found = scene.stores.trail.page(subscription_id, AuditFilter(action=action), after=None, limit=100).items
    assert len({entry.entry_id for entry in found}) == len(found)
    return [entry.outcome for entry in found if entry.at > NOW].count(AuditOutcome.SUCCEEDED)


def assert_on_record_when_made(scene: Scene, change: Change) -> None:
    if change.action:
        assert records(scene, change.action, scene.owner) == change.made(scene)


def cut_with(on: Scene, change: Change, scissors: Scissors) -> None:
    others = all_of(on.storage, on.other)
    finished = attempt(on, change, scissors)
    change.at_once(on)
    assert_on_record_when_made(on, change)  # a reader sees at once what waits
    run_timer(on)
    pack(on)
    assert_on_record_when_made(on, change)
    assert change.made(on) or not finished
    assert orphans(on) == ()
    assert packed(on) == {one.profile_id for one in (on.key, on.neighbour) if readable(on, one)}
    change.after(on)
    assert all_of(on.storage, on.other) == others
    assert readable(on, on.foreign)


@FAILURES
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_cut_at_any_call_leaves_nothing_and_loses_nothing(change: Change, failure: Failure) -> None:
    for scissors in cuts(failure, least=1):
        cut_with(staged(change), change, scissors)


@pytest.mark.azurite
@pytest.mark.parametrize("failure", [Failure.DIES_AFTER, Failure.ANSWER_LOST], ids=str)
@pytest.mark.parametrize("name", ["enroll", "delete-profile", "delete-subscription", "purge", "expire"])
def test_a_cut_in_the_middle_leaves_nothing_on_azurite_either(name: str, failure: Failure, azurite: Azurite) -> None:
    change, calls = NAMED[name], Scissors()
    attempt(staged(change), change, calls)
    scissors = Scissors(at=len(calls.calls) // 2 + 1, failure=failure)
    account = StorageAccount(connection_string=azurite.connection_string)
    cut_with(staged(change, Storage.in_azure(account, f"t{uuid4().hex}")), change, scissors)
    assert scissors.reached


@DEATHS
@pytest.mark.parametrize("name", ["enroll", "reset", "delete-profile"])
def test_a_sweep_that_is_cut_too_is_finished_by_the_next(name: str, failure: Failure) -> None:
    change, cuts_of_sweeps = NAMED[name], 0
    for first in cuts(failure):
        for second in cuts(failure, least=0):
            on = staged(change)
            first.calls.clear()
            attempt(on, change, first)
            with suppress(ProcessDied):
                instance(on.storage, second, on.clock).upkeep.sweep(on.owner, NOW + timedelta(hours=1), 100)
            run_timer(on, hours=(1.0, 2.0, 3.0))
            assert orphans(on) == ()
            cuts_of_sweeps += second.reached
    assert cuts_of_sweeps > 10


@pytest.mark.parametrize("name", ["enroll", "enroll-no-audio-kept"])
def test_an_enrollment_whose_last_answer_is_lost_is_found_and_counts_once(name: str) -> None:
    calls = Scissors()
    attempt(staged(NAMED[name]), NAMED[name], calls)
    on = staged(NAMED[name])
    assert attempt(on, NAMED[name], Scissors(at=len(calls.calls), failure=Failure.ANSWER_LOST))
    assert NAMED[name].made(on)


@FAILURES
def test_a_creation_that_was_cut_off_is_on_record_and_can_be_repeated_and_given_keys(failure: Failure) -> None:
    """The caller never learned the keys of the first attempt: whoever repeats it asks for new ones."""
    for scissors in cuts(failure, least=4):
        on, fresh = scene(Storage.in_memory()), f"fresh-{uuid4()}"
        on.clock.now += timedelta(seconds=1)
        with suppress(ProcessDied, StorageUnavailable):
            start(on.storage, on.clock, scissors).manage.put(OPERATOR, fresh, SHORT)
        made = fresh in on.stores.subscriptions.all_ids()
        assert records(on, AuditAction.CREATE_SUBSCRIPTION, fresh) == made
        again = start(on.storage, on.clock)
        assert again.manage.put(OPERATOR, fresh, SHORT).subscription.settings.retention.max_idle_days == 1.0
        keys = [again.manage.regenerate_key(OPERATOR, fresh, slot) for slot in KeySlot]
        assert [again.stores.subscriptions.opened_by(key)[0].subscription_id for key in keys] == [fresh, fresh]
        on.owner = fresh
        run_timer(on)
        assert records(on, AuditAction.CREATE_SUBSCRIPTION, fresh) == 1
        assert orphans(on) == ()


@DEATHS
def test_a_deletion_whose_sweeps_are_all_cut_off_ends_all_the_same(failure: Failure) -> None:
    """Each tick dies at its next call but one, the next tick starts anew: there is always some progress."""
    on = scene(Storage.in_memory())
    begun(on)
    for at in range(2, MORE_CALLS_THAN_ANY_CHANGE):
        attempt(on, NAMED["purge"], Scissors(at=at, failure=failure))
        assert not has_data_key(on)
    run_timer(on)
    nothing_is_left_of_a_deleted_one(on)
    assert orphans(on) == ()


def test_what_was_destroyed_cannot_be_made_again() -> None:
    """A subscription that is being deleted, or was, keeps its id: no new one can be read with old ciphertexts."""
    on = scene(Storage.in_memory())
    begun(on)
    before = all_of(on.storage, on.owner)
    with pytest.raises(TimbreError):
        start(on.storage, on.clock).manage.put(OPERATOR, on.owner, SettingsChange())
    assert all_of(on.storage, on.owner) == before
    assert on.storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(on.owner)) is not None


def test_every_change_that_is_recorded_is_tried() -> None:
    """The removals of ``expire`` are counted by ``no_voice_is_left``."""
    elsewhere = {AuditAction.EXPORT_SUBSCRIPTION, AuditAction.CREATE_SUBSCRIPTION, AuditAction.EXPIRE_PROFILE}
    assert {change.action for change in CHANGES if change.action} | elsewhere == {
        action for action in AuditAction if not action.is_recognition
    }
