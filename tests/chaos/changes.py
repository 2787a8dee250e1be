"""Every change in a subscription's life: how its stage is set and how it is run. ``holding.py`` says what must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.access import Role
from shared.domain.audit import AuditAction as A
from shared.domain.profile import ProfileKind
from shared.domain.subscription import KeySlot, SettingsChange
from tests.chaos.holding import (
    CONSENT,
    OWN,
    SHORT,
    data_key_goes_with_the_state,
    enrolled,
    groups,
    is_deleted,
    is_gone,
    is_member,
    it_ends_after_its_day,
    kept_for_a_day,
    later,
    no_profile_of_the_owner_is_readable,
    no_voice_is_left,
    no_voice_without_consent,
    nothing_is_left_of_a_deleted_one,
    one_primary_key_and_the_secondary,
    opens,
    opens_under_the_new_key,
    policy_holds_for_all_or_none,
    policy_in_force,
    profile,
    roles,
    unreachable_from_the_tombstone_on,
    voices_open_under_either_key,
    who_was_used_lives_and_ends_in_the_end,
    withdrawn,
)
from tests.chaos.service import CUSTOMER, OPERATOR, Scene, Service, run_timer
from tests.contract.stores import NOW


def nothing(scene: Scene) -> None:
    """Nothing comes before the change, or is asked behind it."""


def always(scene: Scene) -> bool:
    """The timer makes it in the end."""
    return True


@dataclass(frozen=True)
class Change:
    """What is cut. ``before`` sets the stage, ``at_once`` is asked right behind the cut, ``after`` behind the timer.

    ``made`` looks at what is stored, whatever the caller was told; a change with an ``action`` is on record once where
    it is made, and else not at all.
    """

    name: str
    run: Callable[[Service, Scene], object]
    made: Callable[[Scene], bool] = always
    action: A | None = None
    before: Callable[[Scene], object] = nothing
    at_once: Callable[[Scene], object] = nothing
    after: Callable[[Scene], None] = nothing


def enroll(service: Service, scene: Scene) -> None:
    scene.enroll(service, scene.key)


def audio_is_not_kept(scene: Scene) -> None:
    scene.service.manage.change_settings(OPERATOR, scene.owner, SettingsChange(keep_identification_audio=False))


def begun(scene: Scene) -> None:
    scene.service.manage.delete(OPERATOR, scene.owner)


def tick(service: Service, scene: Scene) -> None:
    service.retain()


def set_policy(service: Service, scene: Scene) -> None:
    service.manage.change_settings(OPERATOR, scene.owner, SHORT)


def about_to_expire(scene: Scene) -> None:
    set_policy(scene.service, scene)
    run_timer(scene, hours=(0.0, 1.0))  # the profiles are armed
    later(scene)


def used_meanwhile(scene: Scene) -> None:
    about_to_expire(scene)
    scene.service.stores.profiles.touch(scene.key, NOW + timedelta(hours=12))


def expired_but_not_looked_at(scene: Scene) -> None:
    set_policy(scene.service, scene)
    later(scene)


def grouped(scene: Scene) -> None:
    scene.service.groups.put(CUSTOMER, scene.owner, "night")


def in_a_group(scene: Scene) -> None:
    grouped(scene)
    scene.service.groups.add(CUSTOMER, "night", scene.key)


def with_a_kiosk(scene: Scene) -> None:
    scene.service.manage.put_key(OPERATOR, scene.owner, "kiosk", Role.RECOGNISE, None)


CHANGES = [
    Change(
        "create-profile",
        lambda s, on: s.profiles.create(on.caller(on.owner), ProfileKind.IDENTIFICATION, "en-us"),
        lambda on: len(on.stores.profiles.list(on.owner, ProfileKind.IDENTIFICATION)) == 3,
        A.CREATE_PROFILE,
    ),
    Change("enroll", enroll, enrolled(3), A.ENROLL),
    Change("enroll-no-audio-kept", enroll, enrolled(3), A.ENROLL, audio_is_not_kept),
    Change(
        "reset",
        lambda s, on: s.profiles.reset(CUSTOMER, on.key),
        enrolled(0),
        A.RESET_PROFILE,
        at_once=unreachable_from_the_tombstone_on,
    ),
    Change(
        "delete-profile",
        lambda s, on: s.profiles.erase(CUSTOMER, on.key),
        is_gone,
        A.DELETE_PROFILE,
        at_once=unreachable_from_the_tombstone_on,
    ),
    Change(
        "delete-subscription",
        lambda s, on: s.manage.delete(OPERATOR, on.owner),
        is_deleted,
        at_once=data_key_goes_with_the_state,
        after=nothing_is_left_of_a_deleted_one,
    ),
    Change("purge", tick, before=begun, at_once=data_key_goes_with_the_state, after=nothing_is_left_of_a_deleted_one),
    Change("set-policy", set_policy, policy_in_force, A.CHANGE_SETTINGS, after=policy_holds_for_all_or_none),
    Change("expire", tick, before=about_to_expire, at_once=no_profile_of_the_owner_is_readable, after=no_voice_is_left),
    Change("arm-anew", tick, before=used_meanwhile, after=who_was_used_lives_and_ends_in_the_end),
    Change(
        "policy-walk",
        tick,
        before=expired_but_not_looked_at,
        at_once=no_profile_of_the_owner_is_readable,
        after=no_voice_is_left,
    ),
    Change(
        "own-retention",
        lambda s, on: s.notes.change_retention(CUSTOMER, on.key, OWN),
        kept_for_a_day,
        A.CHANGE_PROFILE_RETENTION,
        after=it_ends_after_its_day,
    ),
    Change(
        "record-consent",
        lambda s, on: s.notes.record_consent(CUSTOMER, on.key, CONSENT),
        lambda on: profile(on).consent.record == CONSENT,
        A.RECORD_CONSENT,
        after=lambda on: no_voice_without_consent(on) if profile(on).consent.record else None,
    ),
    Change(
        "withdraw-consent",
        lambda s, on: s.notes.withdraw_consent(CUSTOMER, on.key),
        withdrawn,
        A.WITHDRAW_CONSENT,
        lambda on: on.service.notes.record_consent(CUSTOMER, on.key, CONSENT),
        no_voice_without_consent,
    ),
    Change(
        "put-group", lambda s, on: s.groups.put(CUSTOMER, on.owner, "day"), lambda on: "day" in groups(on), A.PUT_GROUP
    ),
    Change(
        "delete-group",
        lambda s, on: s.groups.remove(CUSTOMER, on.owner, "night"),
        lambda on: not groups(on),
        A.DELETE_GROUP,
        in_a_group,
    ),
    Change("add-to-group", lambda s, on: s.groups.add(CUSTOMER, "night", on.key), is_member, A.ADD_TO_GROUP, grouped),
    Change(
        "take-from-group",
        lambda s, on: s.groups.take_out(CUSTOMER, "night", on.key),
        lambda on: not is_member(on),
        A.TAKE_FROM_GROUP,
        in_a_group,
    ),
    Change(
        "put-key",
        lambda s, on: s.manage.put_key(OPERATOR, on.owner, "kiosk", Role.ENROLL, None),
        lambda on: roles(on) == {"kiosk": Role.ENROLL},
        A.PUT_KEY,
        with_a_kiosk,
    ),
    Change(
        "delete-key",
        lambda s, on: s.manage.delete_key(OPERATOR, on.owner, "kiosk"),
        lambda on: not roles(on),
        A.DELETE_KEY,
        with_a_kiosk,
    ),
    Change(
        "regenerate-key",
        lambda s, on: s.manage.regenerate_key(OPERATOR, on.owner, KeySlot.PRIMARY),
        lambda on: not opens(on, f"{on.owner} primary"),
        A.REGENERATE_KEY,
        after=one_primary_key_and_the_secondary,
    ),
    Change("rewrap", lambda s, on: s.rewrap(on.owner), opens_under_the_new_key, after=voices_open_under_either_key),
]

NAMED = {change.name: change for change in CHANGES}
