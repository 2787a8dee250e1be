"""Enrollments that meet other changes: both count, or one is told that the profile is busy; nothing comes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.errors import PassphraseDiffers, ProfileBusy, ProfileNotFound
from shared.domain.profile import ProfileKey, ProfileKind
from shared.services.enroll import COMMIT_ATTEMPTS, EnrollPhrase
from shared.services.ports import ProfileStore
from tests.unit.services.spoken import RULES, Interrupted, Spoken, World

TDV = ProfileKind.TEXT_DEPENDENT_VERIFICATION


def use_case(world: World, profiles: ProfileStore) -> EnrollPhrase:
    return EnrollPhrase(profiles, world.audit, world.listener, world.phrases, world.model, world.clock)


def enroll(world: World, key: ProfileKey, spoken: Spoken) -> None:
    use_case(world, world.profiles)(world.me, key, spoken.audio, RULES)


def test_an_enrollment_in_between_counts_too(world: World) -> None:
    key = world.create(TDV)
    rivals = iter([Spoken(voice=60, phrase=2)])

    def another_request() -> None:
        for spoken in rivals:
            enroll(world, key, spoken)

    enrolled = use_case(world, Interrupted(world.profiles, another_request))(
        world.me, key, Spoken(phrase=2).audio, RULES
    )
    assert enrolled.profile.enrollments_count == 2
    profile, signature = world.profiles.get_with_signature(key)
    assert profile.enrollments_count == 2
    assert signature is not None
    assert signature.direction == pytest.approx([0.8660, 0.5], abs=1e-4), "both voices are in it"


def test_an_enrollment_in_between_may_bind_another_phrase(world: World) -> None:
    key = world.create(TDV)
    rivals = iter([Spoken(phrase=1)])

    def another_request() -> None:
        for spoken in rivals:
            enroll(world, key, spoken)

    with pytest.raises(PassphraseDiffers):
        use_case(world, Interrupted(world.profiles, another_request))(world.me, key, Spoken(phrase=2).audio, RULES)
    assert world.profiles.get(key).enrollments_count == 1


def test_a_profile_that_never_rests_is_busy(world: World) -> None:
    key = world.create(TDV)
    rivals: list[Spoken] = []

    def another_request() -> None:
        rivals.append(Spoken(phrase=2))
        enroll(world, key, rivals[-1])

    with pytest.raises(ProfileBusy, match="concurrent requests on same profile"):
        use_case(world, Interrupted(world.profiles, another_request))(world.me, key, Spoken(phrase=2).audio, RULES)
    assert len(rivals) == COMMIT_ATTEMPTS
    assert world.profiles.get(key).enrollments_count == COMMIT_ATTEMPTS, "the rivals' alone"


def test_an_enroll_that_races_a_delete_never_brings_the_profile_back(world: World) -> None:
    key = world.create(TDV)
    deletes = iter([key])

    def another_request() -> None:
        for one in deletes:
            world.profiles.delete(one, world.clock())

    with pytest.raises(ProfileNotFound):
        use_case(world, Interrupted(world.profiles, another_request))(world.me, key, Spoken(phrase=2).audio, RULES)
    with pytest.raises(ProfileNotFound):
        world.profiles.get(key)
    assert [name for name in world.stored() if key.profile_id in name] == []


def test_an_enroll_that_races_a_reset_counts_from_one(world: World) -> None:
    key = world.create(TDV)
    enroll(world, key, Spoken(phrase=1))
    resets = iter([key])

    def another_request() -> None:
        for one in resets:
            world.profiles.reset(one, world.clock())

    with pytest.raises(PassphraseDiffers):
        enroll(world, key, Spoken(phrase=2))
    enrolled = use_case(world, Interrupted(world.profiles, another_request))(
        world.me, key, Spoken(phrase=1).audio, RULES
    )
    assert enrolled.profile.enrollments_count == 1


def test_eight_enrollments_at_once_all_count_or_are_told(world: World) -> None:
    key = world.create(TDV)

    def one_request(_: int) -> bool:
        try:
            enroll(world, key, Spoken(phrase=2))
        except ProfileBusy:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        counted = sum(threads.map(one_request, range(8)))
    assert counted >= 1
    assert world.profiles.get(key).enrollments_count == counted
    _, signature = world.profiles.get_with_signature(key)
    assert signature is not None
    assert signature.speech_seconds == pytest.approx(2.0 * counted)
