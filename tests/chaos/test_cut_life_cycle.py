"""Every storage call of every change in a subscription's life fails once, in every way; then the timer runs.

The same as ``test_cut_storage.py`` does for enrollments, for: creating and deleting a subscription, its settings, keys
and data key, consent, retention, and the timer's own work. All five tables and the audio can fail. Whatever happened,
the operator's audit of orphans must find nothing, and the other subscription must be byte for byte what it was.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.domain.errors import StorageUnavailable, TimbreError
from shared.domain.subscription import KeySlot, SettingsChange
from shared.storage.backend.account import StorageAccount
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, subscription_row
from shared.storage.stores import Storage
from tests.chaos.changes import CHANGES, SHORT, Change, begun, nothing_is_left_of_a_deleted_one
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
from tests.contract.stores import NewStorage

FAILURES = pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())


def memory_storage() -> Storage:
    return Storage.in_memory()


def attempt(scene: Scene, change: Change, scissors: Scissors) -> bool:
    try:
        change.run(start(scene.storage, scene.clock, scissors), scene)
    except (ProcessDied, StorageUnavailable):
        return False
    return True


def cut_with(new_storage: NewStorage, change: Change, scissors: Scissors) -> None:
    on = scene(new_storage())
    change.before(on)
    others = all_of(on.storage, on.other)
    finished = attempt(on, change, scissors)
    change.at_once(on)
    run_timer(on)
    pack(on)
    assert orphans(on) == ()
    assert packed(on) == {one.profile_id for one in (on.key, on.neighbour) if readable(on, one)}
    change.after(on, finished)
    assert all_of(on.storage, on.other) == others
    assert readable(on, on.foreign)


@FAILURES
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_cut_at_any_call_leaves_nothing_and_loses_nothing(change: Change, failure: Failure) -> None:
    for scissors in cuts(failure):
        cut_with(memory_storage, change, scissors)


@pytest.mark.azurite
@pytest.mark.parametrize("failure", [Failure.DIES_AFTER, Failure.ANSWER_LOST], ids=str)
@pytest.mark.parametrize("change", [CHANGES[0], CHANGES[1], CHANGES[3]], ids=lambda change: change.name)
def test_a_cut_in_the_middle_leaves_nothing_on_azurite_either(
    change: Change, failure: Failure, azurite: Azurite
) -> None:
    account = StorageAccount(connection_string=azurite.connection_string)

    def azurite_storage() -> Storage:
        return Storage.in_azure(account, f"t{uuid4().hex}")

    calls = Scissors()
    on = scene(memory_storage())
    change.before(on)
    attempt(on, change, calls)
    scissors = Scissors(at=len(calls.calls) // 2 + 1, failure=failure)
    cut_with(azurite_storage, change, scissors)
    assert scissors.reached


@FAILURES
def test_a_creation_that_was_cut_off_can_be_repeated_and_given_keys(failure: Failure) -> None:
    """The caller never learned the keys of the first attempt: whoever repeats it asks for new ones."""
    for scissors in cuts(failure, least=4):
        on, fresh = scene(memory_storage()), f"fresh-{uuid4()}"
        with suppress(ProcessDied, StorageUnavailable):
            start(on.storage, on.clock, scissors).manage.put(OPERATOR, fresh, SHORT)
        again = start(on.storage, on.clock)
        assert again.manage.put(OPERATOR, fresh, SHORT).subscription.settings.retention.max_idle_days == 1.0
        keys = [again.manage.regenerate_key(OPERATOR, fresh, slot) for slot in KeySlot]
        assert [again.stores.subscriptions.by_key(key).subscription_id for key in keys] == [fresh, fresh]
        on.owner = fresh
        run_timer(on)
        assert orphans(on) == ()


@pytest.mark.parametrize("failure", [Failure.DIES_BEFORE, Failure.DIES_AFTER], ids=lambda failure: failure.name.lower())
def test_a_deletion_whose_sweeps_are_all_cut_off_ends_all_the_same(failure: Failure) -> None:
    """Each tick dies at its next call but one, the next tick starts anew: there is always some progress."""
    on = scene(memory_storage())
    begun(on)
    for at in range(2, MORE_CALLS_THAN_ANY_CHANGE):
        attempt(on, CHANGES[1], Scissors(at=at, failure=failure))
        assert not has_data_key(on)
    run_timer(on)
    nothing_is_left_of_a_deleted_one(on, True)
    assert orphans(on) == ()


def test_what_was_destroyed_cannot_be_made_again() -> None:
    """A subscription that is being deleted, or was, keeps its id: no new one can be read with old ciphertexts."""
    on = scene(memory_storage())
    begun(on)
    before = all_of(on.storage, on.owner)
    with pytest.raises(TimbreError):
        start(on.storage, on.clock).manage.put(OPERATOR, on.owner, SettingsChange())
    assert all_of(on.storage, on.owner) == before
    assert on.storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(on.owner)) is not None
