"""Enrollments into the store of profiles, on every technology."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import ProfileBusy, ProfileNotFound, TimbreError
from shared.domain.passphrase import PhraseTemplate
from shared.domain.profile import Profile, ProfileKind, Signature
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import Scissors
from tests.contract.stores import (
    ERASURES,
    LATER,
    NOW,
    Erases,
    assert_same_signature,
    at_once,
    delete,
    enroll,
    enroll_onto,
    enrolled,
    everything,
    instance,
    keys_of,
    new_enrollment,
    new_profile,
    new_subscription,
)

KINDS = list(ProfileKind)


def test_enrollments_add_up_also_from_the_returned_profile(stores: Stores, storage: Storage) -> None:
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


def test_audio_is_kept_for_identification_only_where_it_is_given(
    stores: Stores, subscription_id: str, storage: Storage
) -> None:
    for kind in KINDS:
        profile = stores.profiles.create(new_profile(subscription_id, kind), 10)
        enroll(stores, profile.key)
        enroll(stores, profile.key, audio=None)
    stored = everything(storage, subscription_id)
    (blob,) = keys_of(stored, subscription_id)
    assert blob.startswith(f"{subscription_id}/tii/")
    assert len(keys_of(stored, "enrollment:")) == 2 * len(KINDS)


def test_the_first_five_takes_of_a_phrase_are_kept_until_they_are_reset(stores: Stores, subscription_id: str) -> None:
    kind = ProfileKind.TEXT_DEPENDENT_VERIFICATION
    key = stores.profiles.create(new_profile(subscription_id, kind), 10).key
    takes = [PhraseTemplate("takes-1", bytes([number]) * 48 * 1024) for number in range(7)]
    for number, take in enumerate(takes):
        enroll(stores, key, audio=None, phrase="", template=take if number < 5 else None)
    assert stores.profiles.templates(stores.profiles.get(key)) == takes[:5]
    assert stores.profiles.get(key).is_by_example
    fresh = stores.profiles.reset(key, NOW)
    assert (stores.profiles.templates(fresh), fresh.passphrase) == ([], None)


def test_nothing_that_tells_a_voice_is_stored_in_the_clear(stores: Stores, storage: Storage) -> None:
    kind = ProfileKind.TEXT_DEPENDENT_VERIFICATION
    speaker = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    phrase = stores.profiles.create(new_profile(speaker.key.subscription_id, kind), 10)
    enroll(stores, speaker.key, seed=5, audio=b"fLaC plain audio")
    enroll(stores, phrase.key, seed=5, phrase="my voice is my passport", template=PhraseTemplate("takes-1", b"a take"))
    written = repr(everything(storage, speaker.key.subscription_id)).encode("unicode_escape")
    embedding = new_enrollment(seed=5)
    for secret in (
        embedding.embedding[:2].tobytes(),
        embedding.signature.pooled[:2].tobytes(),
        b"plain audio",
        b"a take",
        b"my voice is my passport",
    ):
        assert secret not in written
        assert repr(secret)[2:-1].encode("unicode_escape") not in written


def test_the_passphrase_is_read_with_a_profile_but_not_in_a_list(stores: Stores) -> None:
    kind = ProfileKind.TEXT_DEPENDENT_VERIFICATION
    profile = stores.profiles.create(new_profile(new_subscription(stores), kind), 10)
    enroll(stores, profile.key, phrase="houston we have had a problem")
    assert stores.profiles.get(profile.key).passphrase == "houston we have had a problem"
    (listed,) = stores.profiles.list(profile.key.subscription_id, kind)
    assert listed == replace(stores.profiles.get(profile.key), passphrase=None)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (enroll, ProfileBusy),
        (lambda stores, key: stores.profiles.reset(key, NOW), ProfileBusy),
        (lambda stores, key: stores.profiles.delete(key, NOW), ProfileNotFound),
    ],
    ids=["changed", "reset", "deleted"],
)
def test_an_enrollment_onto_a_profile_as_it_was_is_refused_and_leaves_nothing(
    stores: Stores, created: Profile, storage: Storage, change: Callable[..., object], error: type[TimbreError]
) -> None:
    read = stores.profiles.get(created.key)
    change(stores, read.key)
    before = everything(storage, read.key.subscription_id)
    with pytest.raises(error):
        enroll_onto(stores, read, seed=2)
    assert everything(storage, read.key.subscription_id) == before


def test_use_of_the_profile_in_between_does_not_stop_an_enrollment(stores: Stores, created: Profile) -> None:
    read = stores.profiles.get(created.key)
    used_at = NOW + timedelta(minutes=1)
    stores.profiles.touch(read.key, used_at)
    enroll_onto(stores, read)
    found = stores.profiles.get(read.key)
    assert (found.enrollments_count, found.last_action_at) == (1, used_at)


def test_two_enrollments_at_once_both_count_or_one_is_busy(stores: Stores, created: Profile, storage: Storage) -> None:
    succeeded = len(at_once(12, lambda seed: enroll(stores, created.key, seed), ProfileBusy))
    stored = everything(storage, created.key.subscription_id)
    assert succeeded >= 1
    assert stores.profiles.get(created.key).enrollments_count == succeeded
    assert len(keys_of(stored, "enrollment:")) == succeeded
    assert len(keys_of(stored, created.key.subscription_id)) == succeeded
    assert keys_of(stored, "due:") == []


@ERASURES
@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_erasure_at_any_moment_of_an_enrollment_wins(
    stores: Stores, storage: Storage, call: int, erases: Erases
) -> None:
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
def test_an_enrollment_whose_upload_the_timer_gave_up_does_not_succeed(
    stores: Stores, storage: Storage, call: int
) -> None:
    created = stores.profiles.create(new_profile(new_subscription(stores)), 10)
    read = stores.profiles.get(created.key)
    subscription_id = created.key.subscription_id

    def sweep() -> None:
        assert stores.upkeep.sweep(subscription_id, LATER, 10) == 1

    scissors = Scissors(interrupt_at=call, before_call=sweep)
    with pytest.raises(ProfileBusy):
        enroll_onto(instance(storage, scissors), read)
    assert sorted(everything(storage, subscription_id)) == [f"profile:tii:{created.key.profile_id}", "tally"]
    assert stores.profiles.get(created.key) == created
