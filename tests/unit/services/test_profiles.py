"""Create, read, reset and delete."""

from __future__ import annotations

import pytest

from shared.domain.errors import LocaleUnsupported, ProfileNotFound, TooManyProfiles
from shared.domain.profile import EnrollmentStatus, ProfileKey, ProfileKind
from shared.domain.subscription import Subscription, SubscriptionSettings
from shared.services.profiles import CreateProfile, EraseProfile, ReadProfiles, ResetProfile, canonical_locale
from tests.unit.services.spoken import ACTOR, World, caller

TDV = ProfileKind.TEXT_DEPENDENT_VERIFICATION
TII = ProfileKind.IDENTIFICATION


@pytest.mark.parametrize("received", ["en-US", "en-us", "EN-US", "enus"])
def test_a_locale_is_known_in_any_case(received: str) -> None:
    assert canonical_locale(received, TDV) == "en-US"


@pytest.mark.parametrize("received", ["", "en", "en_US", "zh-CN", "en-USA"])
def test_a_phrase_needs_a_locale_that_can_be_recognised(received: str) -> None:
    with pytest.raises(LocaleUnsupported, match="Supported locales are en-US"):
        canonical_locale(received, TDV)


def test_any_speech_may_be_of_more_locales() -> None:
    assert canonical_locale("zh-cn", TII) == "zh-CN"


def test_a_created_profile_is_stored_as_it_is_answered(world: World) -> None:
    created = CreateProfile(world.profiles, world.audit, world.clock, world.new_id)(world.me, TII, "zh-cn")
    assert created.locale == "zh-cn", "as the caller wrote it"
    assert created.status is EnrollmentStatus.ENROLLING
    assert created.created_at == created.last_action_at == world.clock()
    assert ReadProfiles(world.profiles).get(created.key) == created


def test_an_unsupported_locale_makes_no_profile(world: World) -> None:
    before = world.stored()
    with pytest.raises(LocaleUnsupported):
        CreateProfile(world.profiles, world.audit, world.clock, world.new_id)(world.me, TDV, "zh-CN")
    assert world.stored() == before


def test_a_subscription_has_room_for_so_many_profiles_of_all_kinds(world: World) -> None:
    create = CreateProfile(world.profiles, world.audit, world.clock, world.new_id)
    two = Subscription("mine", settings=SubscriptionSettings(max_profiles=2))
    first = create(caller(two), TDV, "en-us")
    create(caller(two), TII, "en-us")
    with pytest.raises(TooManyProfiles, match="2"):
        create(caller(two), TII, "en-us")
    EraseProfile(world.profiles, world.audit, world.clock)(ACTOR, first.key)
    create(caller(two), TII, "en-us")


def test_a_page_has_profiles_of_one_kind_in_id_order(world: World) -> None:
    mine = [world.create(TII).profile_id for _ in range(3)]
    world.create(TDV)
    world.create(TII, world.yours)
    page = ReadProfiles(world.profiles).page("mine", TII)
    assert [one.key.profile_id for one in page.profiles] == sorted(mine)
    assert not page.more


def test_pages_follow_each_other_without_gap_or_overlap(world: World) -> None:
    mine = sorted(world.create(TII).profile_id for _ in range(5))
    read = ReadProfiles(world.profiles)
    first = read.page("mine", TII, limit=2)
    second = read.page("mine", TII, after=mine[1], limit=2)
    third = read.page("mine", TII, after=mine[3], limit=2)
    assert [[one.key.profile_id for one in page.profiles] for page in (first, second, third)] == [
        mine[:2],
        mine[2:4],
        mine[4:],
    ]
    assert [page.more for page in (first, second, third)] == [True, True, False]


def test_an_exact_page_is_the_last_one(world: World) -> None:
    for _ in range(2):
        world.create(TII)
    assert not ReadProfiles(world.profiles).page("mine", TII, limit=2).more


def test_a_deleted_profile_is_absent_and_cannot_be_deleted_again(world: World) -> None:
    key = world.create(TII)
    erase = EraseProfile(world.profiles, world.audit, world.clock)
    erase(ACTOR, key)
    assert ReadProfiles(world.profiles).page("mine", TII).profiles == []
    with pytest.raises(ProfileNotFound, match=key.profile_id):
        ReadProfiles(world.profiles).get(key)
    for again in (erase, ResetProfile(world.profiles, world.audit, world.clock)):
        with pytest.raises(ProfileNotFound, match=key.profile_id):
            again(ACTOR, key)


def test_nobody_can_reset_or_delete_a_profile_of_another_subscription(world: World) -> None:
    foreign = world.create(TII, world.yours)
    named_as_mine = ProfileKey("mine", TII, foreign.profile_id)
    before = world.stored()
    for use_case in (EraseProfile, ResetProfile):
        attempt = use_case(world.profiles, world.audit, world.clock)
        with pytest.raises(ProfileNotFound):
            attempt(ACTOR, named_as_mine)
    assert world.stored() == before


def test_a_reset_keeps_the_id_and_the_day_of_creation(world: World) -> None:
    key = world.create(TDV)
    created = world.clock()
    later = world.clock.advance(days=1)
    reset = ResetProfile(world.profiles, world.audit, world.clock)(ACTOR, key)
    assert (reset.key, reset.created_at, reset.last_action_at) == (key, created, later)
    assert world.profiles.get(key) == reset
