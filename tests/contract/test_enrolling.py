"""Enrollments into the store of profiles, on every technology."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import ProfileBusy, ProfileNotFound
from shared.domain.profile import Profile, ProfileKind, Signature
from shared.storage.stores import Storage
from tests.contract.cutting import Scissors
from tests.contract.stores import (
    ERASURES,
    LATER,
    MODEL,
    NOW,
    Erases,
    assert_same_signature,
    delete,
    enroll,
    enrolled,
    everything,
    instance,
    keys_of,
    new_enrollment,
    new_profile,
    new_subscription,
)

KINDS = list(ProfileKind)


def test_an_enrollment_changes_profile_and_signature_together(storage: Storage) -> None:
    stores = instance(storage)
    before = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    enrollment = new_enrollment(seed=7)
    after, signature = enrolled(before, None, enrollment)
    returned = stores.profiles.enroll(after, signature, enrollment, b"fLaC")
    profile, found = stores.profiles.get_with_signature(before.key)
    assert profile == after == returned
    assert profile.model_id == MODEL
    assert_same_signature(found, signature)


def test_enrollments_add_up_also_from_the_returned_profile(storage: Storage) -> None:
    stores = instance(storage)
    profile: Profile = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    signature: Signature | None = None
    for seed in (1, 2, 3):
        enrollment = new_enrollment(seed)
        after, signature = enrolled(profile, signature, enrollment)
        profile = stores.profiles.enroll(after, signature, enrollment, b"fLaC")
    found, pooled = stores.profiles.get_with_signature(profile.key)
    assert found.enrollments_count == 3
    assert signature is not None
    assert_same_signature(pooled, signature)
    stored = everything(storage, profile.key.subscription_id)
    assert len(keys_of(stored, "enrollment:")) == 3
    assert len(keys_of(stored, profile.key.subscription_id)) == 3
    assert keys_of(stored, "due:") == []


def test_audio_is_kept_for_identification_only(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    for kind in KINDS:
        profile = stores.profiles.create(new_profile(subscription_id, kind), 10)
        enroll(stores, profile.key)
    blobs = keys_of(everything(storage, subscription_id), subscription_id)
    assert len(blobs) == 1
    assert blobs[0].startswith(f"{subscription_id}/tii/")


def test_an_identification_enrollment_without_audio_keeps_none(storage: Storage) -> None:
    stores = instance(storage)
    profile = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    enroll(stores, profile.key, audio=None)
    stored = everything(storage, profile.key.subscription_id)
    assert len(keys_of(stored, "enrollment:")) == 1
    assert keys_of(stored, profile.key.subscription_id) == []


def test_nothing_that_tells_a_voice_is_stored_in_the_clear(storage: Storage) -> None:
    stores = instance(storage)
    kind = ProfileKind.TEXT_DEPENDENT_VERIFICATION
    speaker = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    phrase = stores.profiles.create(new_profile(speaker.key.subscription_id, kind), 10)
    enroll(stores, speaker.key, seed=5, audio=b"fLaC plain audio")
    enroll(stores, phrase.key, seed=5, phrase="my voice is my passport")
    written = repr(everything(storage, speaker.key.subscription_id)).encode("unicode_escape")
    embedding = new_enrollment(seed=5)
    for secret in (
        embedding.embedding[:2].tobytes(),
        embedding.signature.pooled[:2].tobytes(),
        b"plain audio",
        b"my voice is my passport",
    ):
        assert secret not in written
        assert repr(secret)[2:-1].encode("unicode_escape") not in written


def test_the_passphrase_is_read_with_a_profile_but_not_in_a_list(storage: Storage) -> None:
    stores = instance(storage)
    kind = ProfileKind.TEXT_DEPENDENT_VERIFICATION
    profile = stores.profiles.create(new_profile(new_subscription(stores), kind), 10)
    enroll(stores, profile.key, phrase="houston we have had a problem")
    assert stores.profiles.get(profile.key).passphrase == "houston we have had a problem"
    (listed,) = stores.profiles.list(profile.key.subscription_id, kind)
    assert listed == replace(stores.profiles.get(profile.key), passphrase=None)


def test_an_enrollment_onto_a_changed_profile_is_busy_and_leaves_nothing(storage: Storage) -> None:
    stores = instance(storage)
    old = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    old = stores.profiles.get(old.key)
    enroll(stores, old.key, seed=1)
    before = everything(storage, old.key.subscription_id)
    enrollment = new_enrollment(seed=2)
    after, signature = enrolled(old, None, enrollment)
    with pytest.raises(ProfileBusy):
        stores.profiles.enroll(after, signature, enrollment, b"fLaC")
    assert everything(storage, old.key.subscription_id) == before


def test_an_enrollment_onto_a_deleted_profile_is_not_found_and_leaves_nothing(storage: Storage) -> None:
    stores = instance(storage)
    profile = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    enrollment = new_enrollment()
    for read in (profile, stores.profiles.get(profile.key)):
        after, signature = enrolled(read, None, enrollment)
        if read is not profile:
            stores.profiles.delete(profile.key, NOW)
            with pytest.raises(ProfileNotFound):
                stores.profiles.enroll(after, signature, enrollment, b"fLaC")
    assert everything(storage, profile.key.subscription_id) == {"tally": {"profiles": 0}}


def test_an_enrollment_onto_a_reset_profile_is_busy(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    old = stores.profiles.get(created.key)
    stores.profiles.reset(old.key, NOW)
    enrollment = new_enrollment()
    after, signature = enrolled(old, None, enrollment)
    with pytest.raises(ProfileBusy):
        stores.profiles.enroll(after, signature, enrollment, b"fLaC")
    assert stores.profiles.get(old.key).enrollments_count == 0


def test_use_of_the_profile_in_between_does_not_stop_an_enrollment(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    read = stores.profiles.get(created.key)
    used_at = NOW + timedelta(minutes=1)
    stores.profiles.touch(read.key, used_at)
    enrollment = new_enrollment()
    after, signature = enrolled(read, None, enrollment)
    stores.profiles.enroll(after, signature, enrollment, b"fLaC")
    found = stores.profiles.get(read.key)
    assert found.enrollments_count == 1
    assert found.last_action_at == used_at


def test_two_enrollments_at_once_both_count_or_one_is_busy(storage: Storage) -> None:
    stores = instance(storage)
    profile = stores.profiles.create(new_profile(new_subscription(stores)), 10)

    def attempt(seed: int) -> bool:
        try:
            enroll(stores, profile.key, seed)
        except ProfileBusy:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        succeeded = sum(threads.map(attempt, range(12)))
    stored = everything(storage, profile.key.subscription_id)
    assert succeeded >= 1
    assert stores.profiles.get(profile.key).enrollments_count == succeeded
    assert len(keys_of(stored, "enrollment:")) == succeeded
    assert len(keys_of(stored, profile.key.subscription_id)) == succeeded
    assert keys_of(stored, "due:") == []


@ERASURES
@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_erasure_at_any_moment_of_an_enrollment_wins(storage: Storage, call: int, erases: Erases) -> None:
    stores = instance(storage)
    key = stores.profiles.create(new_profile(new_subscription(stores)), 10).key
    enroll(stores, key, seed=1)
    read, old = stores.profiles.get_with_signature(key)
    scissors = Scissors(interrupt_at=call, before_call=lambda: erases(stores, key))
    enrollment = new_enrollment(seed=2)
    after, signature = enrolled(read, old, enrollment)
    with pytest.raises((ProfileNotFound, ProfileBusy)):
        instance(storage, scissors).profiles.enroll(after, signature, enrollment, b"fLaC")
    assert len(scissors.calls) > call
    left = [f"profile:tii:{key.profile_id}"] if erases is not delete else []
    assert sorted(everything(storage, key.subscription_id)) == [*left, "tally"]
    with pytest.raises(ProfileNotFound) if erases is delete else nullcontext():
        assert stores.profiles.get_with_signature(key)[1] is None


@pytest.mark.parametrize("call", [2, 3])
def test_an_enrollment_whose_upload_the_timer_gave_up_does_not_succeed(storage: Storage, call: int) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    read = stores.profiles.get(created.key)
    subscription_id = created.key.subscription_id

    def sweep() -> None:
        assert stores.upkeep.sweep(subscription_id, LATER, 10) == 1

    scissors = Scissors(interrupt_at=call, before_call=sweep)
    enrollment = new_enrollment()
    after, signature = enrolled(read, None, enrollment)
    with pytest.raises(ProfileBusy):
        instance(storage, scissors).profiles.enroll(after, signature, enrollment, b"fLaC")
    assert sorted(everything(storage, subscription_id)) == [f"profile:tii:{created.key.profile_id}", "tally"]
    assert stores.profiles.get(created.key) == created


def test_a_committed_enrollment_keeps_its_audio_through_a_sweep(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    enroll(stores, created.key)
    before = everything(storage, created.key.subscription_id)
    assert stores.upkeep.sweep(created.key.subscription_id, LATER, 10) == 0
    assert everything(storage, created.key.subscription_id) == before
