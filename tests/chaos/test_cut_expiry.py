"""Every storage call of what retention and consent do fails once, in every way; the timer makes it good.

On memory for every call. ``test_cut_storage`` does the same for enroll, reset and delete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.domain.audit import AuditFilter
from shared.domain.consent import Consent, ConsentRecord
from shared.domain.errors import ProfileNotFound, StorageUnavailable
from shared.domain.profile import Profile, ProfileKey, RetentionOverride
from shared.domain.subscription import SettingsChange
from shared.storage.layout import due_row
from shared.storage.profiles.schedule import SETTLED
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Failure, ProcessDied, Scissors, cuts
from tests.contract.expiring import DAY, keeping
from tests.contract.stores import NOW, Clock, enroll, everything, instance, keys_of, new_profile

POSTPONED_ENOUGH = timedelta(hours=1)
Change = Callable[[Stores, ProfileKey], object]


def expire(stores: Stores, key: ProfileKey) -> None:
    """The timer's tick in which the profile's time is over."""
    stores.upkeep.sweep(key.subscription_id, NOW + DAY, 100)


def arm_anew(stores: Stores, key: ProfileKey) -> None:
    """A tick that finds the profile used meanwhile."""
    stores.profiles.touch(key, NOW + DAY / 2)
    stores.upkeep.sweep(key.subscription_id, NOW + DAY, 100)


def shorten(stores: Stores, key: ProfileKey) -> None:
    """A policy change with its walk."""
    stores.upkeep.policy_changes(key.subscription_id, NOW)
    stores.subscriptions.change(key.subscription_id, SettingsChange(max_idle_days=0.25))
    stores.upkeep.sweep(key.subscription_id, NOW, 100)


def override(stores: Stores, key: ProfileKey) -> None:
    profile = stores.profiles.get(key)
    stores.profiles.annotate(replace(profile, retention=RetentionOverride(max_idle_days=0.5)))


def record_consent(stores: Stores, key: ProfileKey) -> None:
    profile = stores.profiles.get(key)
    stores.profiles.annotate(replace(profile, consent=Consent(ConsentRecord("s", NOW))))


def withdraw(stores: Stores, key: ProfileKey) -> None:
    stores.profiles.withdraw_consent(key, NOW)


CHANGES: list[Change] = [expire, arm_anew, shorten, override, record_consent, withdraw]


@dataclass(frozen=True)
class Scene:
    storage: Storage
    stores: Stores
    clock: Clock
    key: ProfileKey

    def sweep(self) -> None:
        """Ticks until all is done, those included that come back to what was put off."""
        for wait in (timedelta(0), POSTPONED_ENOUGH, POSTPONED_ENOUGH):
            self.clock.now += wait
            while self.stores.upkeep.sweep(self.key.subscription_id, self.clock.now, 100):
                pass

    def profile(self) -> Profile | None:
        try:
            return self.stores.profiles.get_with_signature(self.key)[0]
        except ProfileNotFound:
            return None


def new_scene() -> Scene:
    """An enrolled profile that ends a day after its last use."""
    clock = Clock()
    storage = Storage.in_memory()
    stores = instance(storage, clock=clock)
    key = stores.profiles.create(new_profile(keeping(stores, idle=1.0)), 10).key
    enroll(stores, key, seed=1)
    enroll(stores, key, seed=2)
    return Scene(storage, stores, clock, key)


def assert_whole(scene: Scene) -> None:
    """One profile with everything that is its own and the one row that looks after it, or nothing at all."""
    stored = everything(scene.storage, scene.key.subscription_id)
    profile = scene.profile()
    if profile is None:
        assert stored == {"tally": {"profiles": 0}}
        return
    assert stored["tally"] == {"profiles": 1}
    assert profile.expires_at is not None
    watched = [key for key in keys_of(stored, "due:") if ":policy:" not in key]
    assert len(watched) == 1
    assert watched[0] <= due_row(profile.expires_at, "expire", f"tii:{scene.key.profile_id}")
    assert len(keys_of(stored, "enrollment:")) == profile.enrollments_count
    assert len(keys_of(stored, f"{scene.key.subscription_id}/")) == profile.enrollments_count


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_cut_at_any_call_is_made_good_and_the_profile_ends_in_the_end(change: Change, failure: Failure) -> None:
    for scissors in cuts(failure, least=1):
        scene = new_scene()
        attempt(scene, change, scissors)
        scene.sweep()
        assert_whole(scene)
        scene.clock.now = NOW + 3 * DAY + SETTLED
        scene.sweep()
        assert everything(scene.storage, scene.key.subscription_id) == {"tally": {"profiles": 0}}


def attempt(scene: Scene, change: Change, scissors: Scissors) -> None:
    clock = Clock(NOW + DAY) if change in (expire, arm_anew) else scene.clock
    scene.clock.now = clock.now
    try:
        change(instance(scene.storage, scissors, clock), scene.key)
    except (ProcessDied, StorageUnavailable):
        return


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
def test_an_expiry_is_recorded_once_wherever_it_was_cut(failure: Failure) -> None:
    for scissors in cuts(failure, least=1):
        scene = new_scene()
        attempt(scene, expire, scissors)
        scene.sweep()
        page = scene.stores.trail.page(scene.key.subscription_id, AuditFilter(), after=None, limit=10)
        assert [entry.profile for entry in page.items] == [scene.key]


@pytest.mark.parametrize("failure", [Failure.DIES_BEFORE, Failure.DIES_AFTER], ids=lambda failure: failure.name.lower())
def test_a_withdrawal_that_was_answered_or_cut_never_leaves_a_voice_behind_it(failure: Failure) -> None:
    for scissors in cuts(failure, least=1):
        scene = new_scene()
        attempt(scene, withdraw, scissors)
        profile = scene.profile()
        assert profile is not None
        assert (profile.consent.withdrawn_at is None) is (profile.enrollments_count == 2)
        assert profile.enrollments_count == 0 or scissors.reached
