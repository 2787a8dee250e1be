"""The promises of the port ``ProfileStore``, on every technology."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from shared.domain.errors import ProfileBusy, ProfileNotFound, TooManyProfiles
from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind, Signature
from shared.storage.ports import Merge, Remove
from tests.contract.cutting import Scissors
from tests.contract.stores import (
    LATER,
    MODEL,
    NOW,
    Storage,
    enroll,
    enrolled,
    everything,
    instance,
    keys_of,
    new_enrollment,
    new_id,
    new_profile,
    new_subscription,
)

KINDS = list(ProfileKind)


def assert_same_signature(found: Signature | None, expected: Signature) -> None:
    assert found is not None
    assert np.array_equal(found.pooled, expected.pooled)
    assert found.pooled.dtype == np.float32
    assert (found.model_id, found.speech_seconds) == (expected.model_id, expected.speech_seconds)


@pytest.mark.parametrize("kind", KINDS)
def test_a_created_profile_is_read_back_as_it_was(storage: Storage, kind: ProfileKind) -> None:
    stores = instance(storage)
    profile = new_profile(new_subscription(stores), kind)
    assert stores.profiles.create(profile, 10) == profile
    assert stores.profiles.get(profile.key) == profile
    assert stores.profiles.get_with_signature(profile.key) == (profile, None)


def test_an_absent_profile_is_not_found_by_any_method(storage: Storage) -> None:
    stores = instance(storage)
    absent = new_profile(new_subscription(stores))
    profiles, key = stores.profiles, absent.key
    for call in (
        lambda: profiles.get(key),
        lambda: profiles.get_with_signature(key),
        lambda: profiles.get_many_with_signatures([key]),
        lambda: profiles.reset(key, NOW),
        lambda: profiles.delete(key, NOW),
    ):
        with pytest.raises(ProfileNotFound) as caught:
            call()
        assert caught.value.profile_id == key.profile_id
    profiles.touch(key, NOW)
    assert everything(storage, key.subscription_id) == {}


def test_a_profile_is_found_only_in_its_own_subscription_and_kind(storage: Storage) -> None:
    stores = instance(storage)
    profile = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    other = new_subscription(stores)
    foreign = replace(profile.key, subscription_id=other)
    for key in (foreign, replace(profile.key, kind=ProfileKind.TEXT_DEPENDENT_VERIFICATION)):
        with pytest.raises(ProfileNotFound):
            stores.profiles.get(key)
        with pytest.raises(ProfileNotFound):
            stores.profiles.delete(key, NOW)
        with pytest.raises(ProfileNotFound):
            stores.profiles.reset(key, NOW)
        stores.profiles.touch(key, LATER)
    assert stores.profiles.list(other, ProfileKind.IDENTIFICATION) == []
    assert stores.profiles.get(profile.key).last_action_at == NOW


@pytest.mark.parametrize("profile_id", ["a/b", "a#b", "a?b", "a\\b", "a\nb", "ä", "", "x" * 600])
def test_an_id_that_cannot_stand_in_a_key_is_refused_or_absent(storage: Storage, profile_id: str) -> None:
    stores = instance(storage)
    key = ProfileKey(new_subscription(stores), ProfileKind.IDENTIFICATION, profile_id)
    with pytest.raises((ValueError, ProfileNotFound)):
        stores.profiles.get(key)
    with pytest.raises((ValueError, ProfileNotFound)):
        stores.profiles.get(replace(key, subscription_id=profile_id, profile_id=new_id()))


def test_the_maximum_counts_profiles_of_all_kinds_and_deletes_make_room(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    first, *_ = [stores.profiles.create(new_profile(subscription_id, kind), 3) for kind in KINDS]
    with pytest.raises(TooManyProfiles, match="3"):
        stores.profiles.create(new_profile(subscription_id), 3)
    stores.profiles.delete(first.key, NOW)
    stores.profiles.create(new_profile(subscription_id), 3)
    with pytest.raises(TooManyProfiles):
        stores.profiles.create(new_profile(subscription_id), 3)
    stores.profiles.create(new_profile(new_subscription(stores)), 3)


def test_creates_and_deletes_at_once_keep_the_count_exact(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    early = [stores.profiles.create(new_profile(subscription_id), 20) for _ in range(6)]

    def create(_: int) -> bool:
        try:
            stores.profiles.create(new_profile(subscription_id), 20)
        except TooManyProfiles:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        deleting = [threads.submit(stores.profiles.delete, profile.key, NOW) for profile in early]
        created = sum(threads.map(create, range(18)))
        for deleted in deleting:
            deleted.result()
    stored = everything(storage, subscription_id)
    assert len(keys_of(stored, "profile:")) == created
    assert stored["tally"] == {"profiles": created}
    assert created >= 14


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
        embedding.weighted[:2].tobytes(),
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


def test_reset_takes_the_voice_and_keeps_the_profile(storage: Storage) -> None:
    stores = instance(storage)
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


def test_after_a_reset_a_profile_enrolls_anew(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    enroll(stores, created.key, seed=1)
    reset = stores.profiles.reset(created.key, NOW)
    enrollment = new_enrollment(seed=2)
    after, signature = enrolled(reset, None, enrollment)
    stores.profiles.enroll(after, signature, enrollment, b"fLaC")
    profile, found = stores.profiles.get_with_signature(created.key)
    assert (profile.enrollments_count, profile.epoch) == (1, 1)
    assert_same_signature(found, signature)


def test_delete_leaves_only_the_count_and_the_neighbours(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
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


def test_more_enrollments_than_one_transaction_are_erased(storage: Storage) -> None:
    stores = instance(storage)
    kind = ProfileKind.TEXT_INDEPENDENT_VERIFICATION
    profile = stores.profiles.create(new_profile(new_subscription(stores), kind), 10)
    for seed in range(103):
        enroll(stores, profile.key, seed)
    stores.profiles.delete(profile.key, NOW)
    assert everything(storage, profile.key.subscription_id) == {"tally": {"profiles": 0}}


def test_touch_notes_the_use_and_nothing_else(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    enroll(stores, created.key)
    before, _ = stores.profiles.get_with_signature(created.key)
    stores.profiles.touch(created.key, LATER)
    after, signature = stores.profiles.get_with_signature(created.key)
    assert after == replace(before, last_action_at=LATER)
    assert_same_signature(signature, new_enrollment().signature)


def test_touch_never_brings_a_deleted_profile_back(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    stores.profiles.delete(created.key, NOW)
    stores.profiles.touch(created.key, LATER)
    with pytest.raises(ProfileNotFound):
        stores.profiles.get(created.key)


def test_many_profiles_come_in_the_order_asked_for(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    profiles = [stores.profiles.create(new_profile(subscription_id), 100) for _ in range(12)]
    for seed, profile in enumerate(profiles[:6]):
        enroll(stores, profile.key, seed)
    asked = [profiles[index].key for index in (5, 11, 0, 3, 0, 7)]
    found = stores.profiles.get_many_with_signatures(asked)
    assert [profile.key for profile, _ in found] == asked
    assert [signature is not None for _, signature in found] == [True, False, True, True, True, False]
    assert_same_signature(found[3][1], new_enrollment(seed=3).signature)
    assert stores.profiles.get_many_with_signatures([]) == []


def test_a_few_of_very_many_profiles_are_found_too(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    keys = sorted((stores.profiles.create(new_profile(subscription_id), 100).key for _ in range(20)), key=str)
    scissors = Scissors()
    profiles = instance(storage, scissors).profiles
    asked = [keys[19], keys[0], keys[10], keys[1]]
    for _ in range(2):
        assert [profile.key for profile, _ in profiles.get_many_with_signatures(asked)] == asked
    assert scissors.calls == ["query"] + 8 * ["get"]
    near = [keys[5], keys[3], keys[4]]
    scissors.calls.clear()
    others = instance(storage, scissors).profiles
    assert [profile.key for profile, _ in others.get_many_with_signatures(near)] == near
    assert scissors.calls == ["query"]


def test_of_many_profiles_the_first_absent_is_named(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    there = stores.profiles.create(new_profile(subscription_id), 10)
    absent = [new_profile(subscription_id).key for _ in range(3)]
    for asked in ([there.key, *absent], [there.key, absent[0]], absent, [absent[0]]):
        with pytest.raises(ProfileNotFound) as caught:
            stores.profiles.get_many_with_signatures(asked)
        assert caught.value.profile_id == absent[0].profile_id


def test_a_list_is_of_one_kind_in_id_order_and_can_be_paged(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    for kind in KINDS:
        for _ in range(5):
            stores.profiles.create(new_profile(subscription_id, kind), 100)
    for kind in KINDS:
        whole = stores.profiles.list(subscription_id, kind)
        ids = [profile.key.profile_id for profile in whole]
        assert len(ids) == 5
        assert ids == sorted(ids)
        assert stores.profiles.list(subscription_id, kind, limit=2) == whole[:2]
        assert stores.profiles.list(subscription_id, kind, after=ids[1], limit=2) == whole[2:4]
        assert stores.profiles.list(subscription_id, kind, after=ids[4]) == []
    assert stores.profiles.list(new_subscription(stores), KINDS[0]) == []


def test_a_listed_profile_can_be_enrolled(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    (listed,) = stores.profiles.list(created.key.subscription_id, created.key.kind)
    enrollment = new_enrollment()
    after, signature = enrolled(listed, None, enrollment)
    stores.profiles.enroll(after, signature, enrollment, None)
    assert stores.profiles.get(created.key).enrollments_count == 1


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_delete_at_any_moment_of_an_enrollment_wins(storage: Storage, call: int) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    read = stores.profiles.get(created.key)
    scissors = Scissors(interrupt_at=call, before_call=lambda: stores.profiles.delete(created.key, NOW))
    enrollment = new_enrollment()
    after, signature = enrolled(read, None, enrollment)
    with pytest.raises(ProfileNotFound):
        instance(storage, scissors).profiles.enroll(after, signature, enrollment, b"fLaC")
    assert len(scissors.calls) > call
    with pytest.raises(ProfileNotFound):
        stores.profiles.get(created.key)
    assert everything(storage, created.key.subscription_id) == {"tally": {"profiles": 0}}


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


def test_a_profile_whose_count_row_is_gone_can_still_be_deleted(storage: Storage) -> None:
    stores = instance(storage)
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    storage.voices.apply(created.key.subscription_id, [Remove("tally")])
    stores.profiles.delete(created.key, NOW)
    assert everything(storage, created.key.subscription_id) == {}


def test_a_count_that_others_keep_changing_only_delays_a_create(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    stores.profiles.create(new_profile(subscription_id), 10)

    def disturb() -> None:
        storage.voices.apply(subscription_id, [Merge("tally", {"profiles": 5})])

    scissors = Scissors(interrupt_at=2, before_call=disturb)
    instance(storage, scissors).profiles.create(new_profile(subscription_id), 10)
    assert everything(storage, subscription_id)["tally"] == {"profiles": 6}
