"""Reset, delete, use and the count of profiles, on every technology."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from shared.domain.errors import ProfileBusy, ProfileNotFound, TooManyProfiles
from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind
from shared.storage.backend.ports import Merge, Remove
from shared.storage.stores import Storage, Stores
from tests.contract.comparing import assert_same, from_the_rows, scores
from tests.contract.cutting import Scissors
from tests.contract.stores import (
    ERASURES,
    LATER,
    NOW,
    Erases,
    assert_same_signature,
    at_once,
    enroll,
    everything,
    instance,
    keys_of,
    new_enrollment,
    new_profile,
    new_subscription,
)

KINDS = list(ProfileKind)


def test_the_maximum_counts_profiles_of_all_kinds_and_deletes_make_room(stores: Stores, subscription_id: str) -> None:
    first, *_ = [stores.profiles.create(new_profile(subscription_id, kind), 3) for kind in KINDS]
    with pytest.raises(TooManyProfiles, match="3"):
        stores.profiles.create(new_profile(subscription_id), 3)
    stores.profiles.delete(first.key, NOW)
    stores.profiles.create(new_profile(subscription_id), 3)
    with pytest.raises(TooManyProfiles):
        stores.profiles.create(new_profile(subscription_id), 3)
    stores.profiles.create(new_profile(new_subscription(stores)), 3)


def test_creates_and_deletes_at_once_keep_the_count_exact(
    subscription_id: str, stores: Stores, storage: Storage
) -> None:
    early = [stores.profiles.create(new_profile(subscription_id), 20) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        deleting = [threads.submit(stores.profiles.delete, profile.key, NOW) for profile in early]
        new = at_once(18, lambda _: stores.profiles.create(new_profile(subscription_id), 20), TooManyProfiles)
        for deleted in deleting:
            deleted.result()
    created = len(new)
    stored = everything(storage, subscription_id)
    assert len(keys_of(stored, "profile:")) == created
    assert stored["tally"] == {"profiles": created}
    assert created >= 14


def test_reset_takes_the_voice_and_keeps_the_profile(stores: Stores, storage: Storage) -> None:
    kind = ProfileKind.TEXT_DEPENDENT_VERIFICATION
    created = stores.profiles.create(new_profile(new_subscription(stores), kind), 10)
    enroll(stores, created.key, phrase="a phrase")
    returned = stores.profiles.reset(created.key, LATER)
    profile, signature = stores.profiles.get_with_signature(created.key)
    assert signature is None
    assert profile == returned == replace(created, last_action_at=LATER, epoch=1)
    assert profile.passphrase is None
    assert profile.status is EnrollmentStatus.ENROLLING
    stored = everything(storage, created.key.subscription_id)
    assert sorted(stored) == [f"profile:tdv:{created.key.profile_id}", "tally"]


def test_delete_leaves_only_the_count_and_the_neighbours(
    subscription_id: str, stores: Stores, storage: Storage
) -> None:
    going, staying = (stores.profiles.create(new_profile(subscription_id), 10) for _ in range(2))
    enroll(stores, staying.key)
    stayed = everything(storage, subscription_id)
    enroll(stores, going.key, seed=1)
    enroll(stores, going.key, seed=2)
    stores.profiles.delete(going.key, NOW)
    left = everything(storage, subscription_id)
    del stayed[f"profile:tii:{going.key.profile_id}"]
    assert left == {**stayed, "tally": {"profiles": 1}}
    with pytest.raises(ProfileNotFound):
        stores.profiles.delete(going.key, NOW)


@ERASURES
@pytest.mark.parametrize("before", [0, 1])
def test_an_enrollment_at_any_moment_of_an_erasure_keeps_nothing_of_an_older_voice(
    storage: Storage, technology: str, erases: Erases, before: int
) -> None:
    for call in range(1, 30, 1 if technology == "memory" else 4):
        stores = instance(storage)
        key = stores.profiles.create(new_profile(new_subscription(stores)), 10).key
        for _ in range(before):
            enroll(stores, key, seed=1)

        def enrolls(one: Stores = stores, key: ProfileKey = key) -> None:
            with suppress(ProfileBusy, ProfileNotFound):
                enroll(one, key, seed=2)
            scores(one, key.subscription_id)  # its gallery has seen this voice

        scissors = Scissors(interrupt_at=call, before_call=enrolls)
        erases(instance(storage, scissors), key)
        stores.upkeep.sweep(key.subscription_id, LATER, 100)
        stored, left = everything(storage, key.subscription_id), 0
        with suppress(ProfileNotFound):
            profile, signature = stores.profiles.get_with_signature(key)
            left = profile.enrollments_count
            if left:
                assert_same_signature(signature, new_enrollment(seed=2).signature)
        assert [len(keys_of(stored, of)) for of in ("enrollment:", key.subscription_id, "due:")] == [left, left, 0]
        assert_same(scores(stores, key.subscription_id), from_the_rows(stores, key.subscription_id))
        if len(scissors.calls) < call:
            assert call > 5
            return
    pytest.fail("the erasure was never left in peace")


def test_touch_notes_the_use_and_nothing_else(stores: Stores, created: Profile) -> None:
    enroll(stores, created.key)
    before, _ = stores.profiles.get_with_signature(created.key)
    stores.profiles.touch(created.key, LATER)
    after, signature = stores.profiles.get_with_signature(created.key)
    assert after == replace(before, last_action_at=LATER)
    assert_same_signature(signature, new_enrollment().signature)


def test_touch_never_brings_a_deleted_profile_back(stores: Stores, created: Profile) -> None:
    stores.profiles.delete(created.key, NOW)
    stores.profiles.touch(created.key, LATER)
    with pytest.raises(ProfileNotFound):
        stores.profiles.get(created.key)


def test_a_profile_whose_count_row_is_gone_can_still_be_deleted(stores: Stores, storage: Storage) -> None:
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    storage.voices.apply(created.key.subscription_id, [Remove("tally")])
    stores.profiles.delete(created.key, NOW)
    assert everything(storage, created.key.subscription_id) == {}


def test_a_count_that_others_keep_changing_only_delays_a_create(
    subscription_id: str, stores: Stores, storage: Storage
) -> None:
    stores.profiles.create(new_profile(subscription_id), 10)

    def disturb() -> None:
        storage.voices.apply(subscription_id, [Merge("tally", {"profiles": 5})])

    scissors = Scissors(interrupt_at=2, before_call=disturb)
    instance(storage, scissors).profiles.create(new_profile(subscription_id), 10)
    assert everything(storage, subscription_id)["tally"] == {"profiles": 6}
