"""Every change in a subscription's life: how its stage is set, how it is run, and what must hold behind a cut."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.access import Role
from shared.domain.audit import AuditAction as A
from shared.domain.consent import ConsentRecord
from shared.domain.errors import TimbreError
from shared.domain.profile import Profile, ProfileKind, RetentionOverride
from shared.domain.subscription import KeySlot, SettingsChange, SubscriptionState
from shared.storage.layout import subscription_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from tests.chaos.service import (
    CUSTOMER,
    NEW_KEY_ENCRYPTION_KEY,
    OPERATOR,
    Scene,
    Service,
    all_of,
    has_data_key,
    readable,
    run_timer,
    state,
)
from tests.contract.stores import NOW, keys_of

SHORT = SettingsChange(max_idle_days=1.0)
CONSENT = ConsentRecord("statement-1", NOW, "web", "document-7")
OWN = RetentionOverride(max_age_days=1.0)


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


def profile(scene: Scene) -> Profile:
    return scene.stores.profiles.get(scene.key)


def is_gone(scene: Scene) -> bool:
    with suppress(TimbreError):
        return not profile(scene)
    return True


def enrolled(times: int) -> Callable[[Scene], bool]:
    return lambda scene: profile(scene).enrollments_count == times


def opens(scene: Scene, key: str) -> bool:
    with suppress(TimbreError):
        return scene.stores.subscriptions.opened_by(key)[0].subscription_id == scene.owner
    return False


def enroll(service: Service, scene: Scene) -> None:
    scene.enroll(service, scene.key)


def audio_is_not_kept(scene: Scene) -> None:
    scene.service.manage.change_settings(OPERATOR, scene.owner, SettingsChange(keep_identification_audio=False))


def unreachable_from_the_tombstone_on(scene: Scene) -> None:
    if any(":erase:" in row for row in all_of(scene.storage, scene.owner)):
        assert not readable(scene, scene.key)


def begun(scene: Scene) -> None:
    scene.service.manage.delete(OPERATOR, scene.owner)


def data_key_goes_with_the_state(scene: Scene) -> None:
    """In one step: an active subscription has its data key, and no other has."""
    active = state(scene) is SubscriptionState.ACTIVE
    assert has_data_key(scene) == active
    assert readable(scene, scene.key) == active
    assert opens(scene, f"{scene.owner} primary") == active


def is_deleted(scene: Scene) -> bool:
    return state(scene) is not SubscriptionState.ACTIVE


def nothing_is_left_of_a_deleted_one(scene: Scene) -> None:
    if not is_deleted(scene):
        assert readable(scene, scene.key)
        assert readable(scene, scene.neighbour)
        return
    (left,) = all_of(scene.storage, scene.owner)
    assert left == f"subscriptions/{subscription_row(scene.owner)}"
    erasure = scene.stores.subscriptions.get(scene.owner).erasure
    assert erasure is not None
    assert erasure.verified_at is not None
    assert (erasure.counts.profiles, erasure.counts.enrollments, erasure.counts.recordings) == (2, 4, 4)


def tick(service: Service, scene: Scene) -> None:
    service.retain()


def later(scene: Scene, days: float = 1.0) -> None:
    scene.clock.now = NOW + timedelta(days=days, seconds=1)


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


def no_profile_of_the_owner_is_readable(scene: Scene) -> None:
    assert not readable(scene, scene.key)
    assert not readable(scene, scene.neighbour)


def no_voice_is_left(scene: Scene) -> None:
    left = all_of(scene.storage, scene.owner)
    notes = ("voices/change:", "voices/pack")  # numbers and ids
    assert [row for row in keys_of(left, "voices/") if not row.startswith(notes)] == ["voices/tally"]
    assert left["voices/tally"] == {"profiles": 0}
    assert keys_of(left, "audio/") == []
    expiries = [row for row in left.values() if isinstance(row, dict) and row.get("action") == "profile.expire"]
    assert sorted(str(row["profile_id"]) for row in expiries) == sorted(
        (scene.key.profile_id, scene.neighbour.profile_id)
    )


def who_was_used_lives_and_ends_in_the_end(scene: Scene) -> None:
    assert readable(scene, scene.key)
    assert not readable(scene, scene.neighbour)
    later(scene, days=1.5)
    run_timer(scene)
    no_voice_is_left(scene)


def policy_in_force(scene: Scene) -> bool:
    return scene.stores.subscriptions.get(scene.owner).settings.retention.max_idle_days == 1.0


def policy_holds_for_all_or_none(scene: Scene) -> None:
    """Past the end that the new policy gives them, profiles are erased if it is in force."""
    later(scene)
    if policy_in_force(scene):
        no_profile_of_the_owner_is_readable(scene)
        run_timer(scene)
        no_voice_is_left(scene)
    else:
        assert readable(scene, scene.key)
        assert readable(scene, scene.neighbour)


def withdrawn(scene: Scene) -> bool:
    return profile(scene).consent.withdrawn_at is not None


def no_voice_without_consent(scene: Scene) -> None:
    assert profile(scene).consent.record == CONSENT
    assert profile(scene).enrollments_count == (0 if withdrawn(scene) else 2)
    assert readable(scene, scene.key) == (not withdrawn(scene))


def kept_for_a_day(scene: Scene) -> bool:
    return profile(scene).retention == OWN


def it_ends_after_its_day(scene: Scene) -> None:
    short = kept_for_a_day(scene)
    later(scene)
    run_timer(scene)
    assert is_gone(scene) == short
    assert readable(scene, scene.neighbour)


def groups(scene: Scene) -> list[str]:
    return [group.name for group in scene.stores.groups.page(scene.owner, after=None, limit=10)]


def is_member(scene: Scene) -> bool:
    return bool(scene.stores.groups.members(scene.owner, "night", after=None, limit=10))


def grouped(scene: Scene) -> None:
    scene.service.groups.put(CUSTOMER, scene.owner, "night")


def in_a_group(scene: Scene) -> None:
    grouped(scene)
    scene.service.groups.add(CUSTOMER, "night", scene.key)


def with_a_kiosk(scene: Scene) -> None:
    scene.service.manage.put_key(OPERATOR, scene.owner, "kiosk", Role.RECOGNISE, None)


def roles(scene: Scene) -> dict[str, Role]:
    keys = scene.stores.subscriptions.keys(scene.owner)
    return {key.name: key.role for key in keys if key.name not in list(KeySlot)}


def one_primary_key_and_the_secondary(scene: Scene) -> None:
    """The old key opens as long as the new one is not in its place; the other key all the time."""
    assert opens(scene, f"{scene.owner} secondary")
    fresh = scene.service.manage.regenerate_key(OPERATOR, scene.owner, KeySlot.PRIMARY)
    assert opens(scene, fresh)
    assert not opens(scene, f"{scene.owner} primary")
    assert opens(scene, f"{scene.owner} secondary")


def opens_under_the_new_key(scene: Scene) -> bool:
    with suppress(TimbreError):
        return bool(DataKeys(scene.storage.subscriptions, LocalKeyEncryption(NEW_KEY_ENCRYPTION_KEY)).of(scene.owner))
    return False


def voices_open_under_either_key(scene: Scene) -> None:
    """A fresh instance knows the old key only."""
    assert readable(scene, scene.key) == (not opens_under_the_new_key(scene))


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
