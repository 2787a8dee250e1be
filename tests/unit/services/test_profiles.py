"""Create, read, reset and erase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from shared.domain.errors import LocaleUnsupported, ProfileNotFound, TooManyProfiles
from shared.domain.page import Page
from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE
from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind
from shared.domain.subscription import Subscription, SubscriptionSettings
from shared.services.profiles import Profiles, canonical_locale, phrases_to_say
from tests.unit.services.spoken import ACTOR, TDV, TII, World, caller


@pytest.fixture
def profiles(world: World) -> Profiles:
    return world.use_cases


def ids(page: Page[Profile]) -> list[str]:
    return [profile.key.profile_id for profile in page.items]


@pytest.mark.parametrize(
    ("received", "locale"),
    [*((received, "en-US") for received in ("en-US", "en-us", "EN-US", "enus")), ("zh-cn", "zh-CN")],
)
def test_a_locale_is_known_in_any_case(received: str, locale: str) -> None:
    assert canonical_locale(received) == locale


@pytest.mark.parametrize("received", ["", "en", "en_US", "zh", "en-USA"])
def test_what_is_no_locale_is_refused(received: str) -> None:
    with pytest.raises(LocaleUnsupported, match="Supported locales are en-US, es-ES"):
        canonical_locale(received)


OWN = SubscriptionSettings(
    passphrases={"en-US": ("open the garden door",), "en-GB": "any"},
    activation_phrases={"de-DE": ("Ich bin's, und ich bin dabei.",)},
)


@pytest.mark.parametrize(
    ("kind", "locale", "phrases"),
    [
        (TDV, "en-US", ("open the garden door",)),
        (TDV, "en-GB", ()),
        (TDV, "de-DE", ()),
        (TII, "en-US", ACTIVATION_PHRASES_BY_LOCALE["en-US"]),
        (TII, "de-DE", ("Ich bin's, und ich bin dabei.",)),
        (TII, "zh-CN", ()),
    ],
)
def test_phrases_are_the_subscriptions_own_or_the_published_ones(
    kind: ProfileKind, locale: str, phrases: tuple[str, ...]
) -> None:
    assert phrases_to_say(OWN, kind, locale) == phrases


def test_a_created_profile_is_stored_as_it_is_answered(world: World, profiles: Profiles) -> None:
    created = profiles.create(world.me, TII, "zh-cn")
    assert created.locale == "zh-cn", "as the caller wrote it"
    assert created.status is EnrollmentStatus.ENROLLING
    assert created.created_at == created.last_action_at == world.clock()
    assert profiles.get(created.key) == created


def test_an_unsupported_locale_makes_no_profile(world: World, profiles: Profiles) -> None:
    before = world.stored()
    with pytest.raises(LocaleUnsupported):
        profiles.create(world.me, TDV, "zh-TW")
    assert world.stored() == before


def test_a_subscription_has_room_for_so_many_profiles_of_all_kinds(profiles: Profiles) -> None:
    two = caller(Subscription("mine", settings=SubscriptionSettings(max_profiles=2)))
    first = profiles.create(two, TDV, "en-us")
    profiles.create(two, TII, "en-us")
    with pytest.raises(TooManyProfiles, match="2"):
        profiles.create(two, TII, "en-us")
    profiles.erase(ACTOR, first.key)
    profiles.create(two, TII, "en-us")


def test_a_page_has_profiles_of_one_kind_and_subscription_in_id_order(world: World, profiles: Profiles) -> None:
    mine = [world.create(TII).profile_id for _ in range(3)]
    world.create(TDV)
    world.create(TII, world.yours)
    page = profiles.page("mine", TII, None, None)
    assert (ids(page), page.after) == (sorted(mine), None)


@pytest.mark.parametrize("number", [4, 5])
def test_pages_follow_each_other_without_gap_or_overlap(world: World, profiles: Profiles, number: int) -> None:
    mine = sorted(world.create(TII).profile_id for _ in range(number))
    pages: list[list[str]] = []
    after: str | None = None
    while not pages or after:
        page = profiles.page("mine", TII, after, 2)
        pages.append(ids(page))
        after = page.after
    assert pages == [mine[start : start + 2] for start in range(0, number, 2)]


@pytest.mark.parametrize("erased", [True, False])
def test_an_erased_profile_and_anothers_are_absent_and_cannot_be_changed(
    world: World, profiles: Profiles, erased: bool
) -> None:
    key = world.create(TII) if erased else replace(world.create(TII, world.yours), subscription_id="mine")
    if erased:
        profiles.erase(ACTOR, key)
    before = world.stored()
    uses: list[Callable[[ProfileKey], object]] = [
        profiles.get, partial(profiles.erase, ACTOR), partial(profiles.reset, ACTOR),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(ProfileNotFound, match=key.profile_id):
            use(key)
    assert ids(profiles.page("mine", TII, None, None)) == []
    assert world.stored() == before


def test_a_reset_keeps_the_id_and_the_day_of_creation(world: World, profiles: Profiles) -> None:
    key, created = world.create(TDV), world.clock()
    later = world.clock.advance(days=1)
    reset = profiles.reset(ACTOR, key)
    assert (reset.key, reset.created_at, reset.last_action_at) == (key, created, later)
    assert profiles.get(key) == reset
