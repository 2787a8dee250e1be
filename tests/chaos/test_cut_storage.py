"""Every storage call of every change fails once, in every way; then the timer runs; then nothing is wrong.

After the cut the caller does what callers do: a process that died is restarted, a request that was answered with an
error may be repeated. On memory for every call; Azurite runs a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.domain.errors import ProfileNotFound, StorageUnavailable
from shared.domain.profile import Profile, ProfileKey
from shared.storage.backend.account import StorageAccount
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Failure, ProcessDied, Scissors, cuts
from tests.contract.stores import (
    LATER,
    NOW,
    NewStorage,
    enroll,
    everything,
    instance,
    keys_of,
    new_profile,
    new_subscription,
)


@dataclass(frozen=True)
class Scene:
    """A profile with two enrollments, its neighbour, and a profile of another subscription."""

    storage: Storage
    stores: Stores
    key: ProfileKey
    neighbour: ProfileKey
    other: ProfileKey
    fresh: Profile

    @property
    def subscription_id(self) -> str:
        return self.key.subscription_id


Change = Callable[[Stores, Scene], object]


def create(stores: Stores, scene: Scene) -> None:
    stores.profiles.create(scene.fresh, 10)


def enroll_with_audio(stores: Stores, scene: Scene) -> None:
    enroll(stores, scene.key, seed=3)


def enroll_without_audio(stores: Stores, scene: Scene) -> None:
    enroll(stores, scene.key, seed=3, audio=None)


def reset(stores: Stores, scene: Scene) -> None:
    stores.profiles.reset(scene.key, NOW)


def delete(stores: Stores, scene: Scene) -> None:
    stores.profiles.delete(scene.key, NOW)


CHANGES: list[Change] = [create, enroll_with_audio, enroll_without_audio, reset, delete]


def memory_storage() -> Storage:
    return Storage.in_memory()


def new_scene(storage: Storage) -> Scene:
    stores = instance(storage)
    subscription_id, other = new_subscription(stores), new_subscription(stores)
    owners = (subscription_id, subscription_id, other)
    key, neighbour, foreign = (stores.profiles.create(new_profile(owner), 10).key for owner in owners)
    for voice in (key, neighbour, foreign):
        enroll(stores, voice, seed=1)
        enroll(stores, voice, seed=2)
    return Scene(storage, stores, key, neighbour, foreign, fresh=new_profile(subscription_id))


def sweep_once(stores: Stores, scene: Scene) -> None:
    stores.upkeep.sweep(scene.subscription_id, LATER, 100)


def sweep(scene: Scene) -> None:
    while scene.stores.upkeep.sweep(scene.subscription_id, LATER, 100):
        pass


def profile_or_none(scene: Scene, key: ProfileKey) -> Profile | None:
    try:
        return scene.stores.profiles.get_with_signature(key)[0]
    except ProfileNotFound:
        return None


def assert_nothing_is_wrong(scene: Scene, change: Change, *, finished: bool) -> None:
    """``finished``: the caller was told that the change is made."""
    stored = everything(scene.storage, scene.subscription_id)
    keys = (scene.key, scene.neighbour, scene.fresh.key)
    profiles = [profile for key in keys if (profile := profile_or_none(scene, key))]
    assert len(keys_of(stored, "profile:")) == len(profiles)
    assert stored["tally"] == {"profiles": len(profiles)}
    assert keys_of(stored, "due:") == []
    assert len(keys_of(stored, "enrollment:")) == sum(profile.enrollments_count for profile in profiles)
    kept = {values["blob"] for values in stored.values() if isinstance(values, dict) and "blob" in values}
    assert set(keys_of(stored, f"{scene.subscription_id}/")) == kept
    assert changed(scene, change) or not finished


def changed(scene: Scene, change: Change) -> bool:
    """Whether the change is there, in full; anything between the two is an error of its own."""
    if change is create:
        return profile_or_none(scene, scene.fresh.key) is not None
    profile = profile_or_none(scene, scene.key)
    if change is delete:
        return profile is None
    assert profile is not None
    if change is reset:
        assert (profile.enrollments_count, profile.epoch) in ((2, 0), (0, 1))
        return profile.epoch == 1
    assert profile.enrollments_count in (2, 3)
    return profile.enrollments_count == 3


def attempt(scene: Scene, change: Change, scissors: Scissors) -> bool:
    try:
        change(instance(scene.storage, scissors), scene)
    except (ProcessDied, StorageUnavailable):
        return False
    return True


def cut_with(new_storage: NewStorage, change: Change, scissors: Scissors) -> None:
    scene = new_scene(new_storage())
    neighbours = everything(scene.storage, scene.other.subscription_id)
    finished = attempt(scene, change, scissors)
    sweep(scene)
    assert_nothing_is_wrong(scene, change, finished=finished)
    assert everything(scene.storage, scene.other.subscription_id) == neighbours


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_cut_at_any_call_is_finished_or_undone_by_the_timer(change: Change, failure: Failure) -> None:
    for scissors in cuts(failure):
        cut_with(memory_storage, change, scissors)


@pytest.mark.parametrize("failure", [Failure.DIES_BEFORE, Failure.DIES_AFTER], ids=lambda failure: failure.name.lower())
@pytest.mark.parametrize("change", [enroll_with_audio, reset, delete], ids=lambda change: change.__name__)
def test_a_sweep_that_is_cut_too_is_finished_by_the_next(change: Change, failure: Failure) -> None:
    cuts_of_sweeps = 0
    for first in cuts(failure):
        for second in cuts(failure, least=0):
            scene = new_scene(memory_storage())
            first.calls.clear()
            finished = attempt(scene, change, first)
            attempt(scene, sweep_once, second)
            sweep_again_later(scene)
            assert_nothing_is_wrong(scene, change, finished=finished)
            cuts_of_sweeps += second.reached
    assert cuts_of_sweeps > 10


def sweep_again_later(scene: Scene) -> None:
    """What a dying sweep postponed is due again after its pause."""
    for hours in (0, 1, 2):
        while scene.stores.upkeep.sweep(scene.subscription_id, LATER + timedelta(hours=hours), 100):
            pass


@pytest.mark.azurite
@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
@pytest.mark.parametrize("change", [enroll_with_audio, delete], ids=lambda change: change.__name__)
def test_a_cut_in_the_middle_is_mended_on_azurite_too(change: Change, failure: Failure, azurite: Azurite) -> None:
    account = StorageAccount(connection_string=azurite.connection_string)

    def azurite_storage() -> Storage:
        return Storage.in_azure(account, f"t{uuid4().hex}")

    for at in (2, 4):
        scissors = Scissors(at=at, failure=failure)
        cut_with(azurite_storage, change, scissors)
        assert scissors.reached


@pytest.mark.parametrize("change", [enroll_with_audio, enroll_without_audio], ids=lambda change: change.__name__)
def test_an_enrollment_repeated_after_an_error_counts_once(change: Change) -> None:
    """When only the commit's answer is lost, the store finds its own enrollment and says that it is made."""
    calls = Scissors()
    attempt(new_scene(memory_storage()), change, calls)
    commit = len(calls.calls)
    scene = new_scene(memory_storage())
    assert attempt(scene, change, Scissors(at=commit, failure=Failure.ANSWER_LOST))
    profile = scene.stores.profiles.get(scene.key)
    assert profile.enrollments_count == 3


def test_a_voice_is_unreachable_from_the_tombstone_on() -> None:
    for change in (reset, delete):
        for scissors in cuts(Failure.DIES_AFTER):
            scene = new_scene(memory_storage())
            attempt(scene, change, scissors)
            if keys_of(everything(scene.storage, scene.subscription_id), "due:"):
                assert readable_voice(scene) is False


def readable_voice(scene: Scene) -> bool:
    try:
        return scene.stores.profiles.get_with_signature(scene.key)[1] is not None
    except ProfileNotFound:
        return False
