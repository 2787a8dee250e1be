"""Every change in a subscription's life: how its stage is set, how it is run, and what must hold behind a cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.consent import ConsentRecord
from shared.domain.errors import ProfileNotFound, SubscriptionUnknown, TimbreError
from shared.domain.profile import Profile, RetentionOverride
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
    start,
    state,
)
from tests.contract.stores import NOW, keys_of

SHORT = SettingsChange(max_idle_days=1.0)
CONSENT = ConsentRecord("statement-1", NOW, "web", "document-7")


def nothing(scene: Scene) -> None:
    """Nothing comes before the change."""


@dataclass(frozen=True)
class Change:
    """What is cut. ``before`` sets the stage; ``after`` says what must hold when the timer has run.

    ``after`` is told whether the caller heard that the change is made. ``at_once`` is asked right behind the cut.
    """

    name: str
    run: Callable[[Service, Scene], object]
    after: Callable[[Scene, bool], None]
    before: Callable[[Scene], None] = nothing
    at_once: Callable[[Scene], None] = nothing


def profile_or_none(scene: Scene) -> Profile | None:
    try:
        return start(scene.storage, scene.clock).stores.profiles.get(scene.key)
    except ProfileNotFound:
        return None


def opens(scene: Scene, key: str) -> bool:
    try:
        return start(scene.storage, scene.clock).stores.subscriptions.by_key(key).subscription_id == scene.owner
    except SubscriptionUnknown:
        return False


def delete_subscription(service: Service, scene: Scene) -> None:
    service.manage.delete(OPERATOR, scene.owner)


def data_key_goes_with_the_state(scene: Scene) -> None:
    """In one step: an active subscription has its data key, and no other has."""
    active = state(scene) is SubscriptionState.ACTIVE
    assert has_data_key(scene) == active
    assert readable(scene, scene.key) == active
    assert opens(scene, f"{scene.owner} primary") == active


def nothing_is_left_of_a_deleted_one(scene: Scene, finished: bool) -> None:
    if state(scene) is SubscriptionState.ACTIVE:
        assert not finished
        assert readable(scene, scene.key)
        assert readable(scene, scene.neighbour)
        return
    (left,) = all_of(scene.storage, scene.owner)
    assert left == f"subscriptions/{subscription_row(scene.owner)}"
    erasure = scene.service.stores.subscriptions.get(scene.owner).erasure
    assert erasure is not None
    assert erasure.verified_at is not None
    assert (erasure.counts.profiles, erasure.counts.enrollments, erasure.counts.recordings) == (2, 4, 4)


def begun(scene: Scene) -> None:
    delete_subscription(scene.service, scene)


def tick(service: Service, scene: Scene) -> None:
    service.retain()


def later(scene: Scene) -> None:
    scene.clock.now += timedelta(days=1, seconds=1)


def policy_set(scene: Scene) -> None:
    scene.service.manage.change_settings(OPERATOR, scene.owner, SHORT)


def about_to_expire(scene: Scene) -> None:
    policy_set(scene)
    run_timer(scene, hours=(0.0, 1.0))  # the profiles are armed
    scene.clock.now = NOW
    later(scene)


def expired_but_not_looked_at(scene: Scene) -> None:
    policy_set(scene)
    later(scene)


def no_profile_of_the_owner_is_readable(scene: Scene) -> None:
    assert not readable(scene, scene.key)
    assert not readable(scene, scene.neighbour)


def no_voice_is_left(scene: Scene, finished: bool) -> None:
    left = all_of(scene.storage, scene.owner)
    notes = ("voices/change:", "voices/pack")  # numbers and ids
    assert [row for row in keys_of(left, "voices/") if not row.startswith(notes)] == ["voices/tally"]
    assert left["voices/tally"] == {"profiles": 0}
    assert keys_of(left, "audio/") == []
    expiries = [row for row in left.values() if isinstance(row, dict) and row.get("action") == "profile.expire"]
    assert sorted(str(row["profile_id"]) for row in expiries) == sorted(
        (scene.key.profile_id, scene.neighbour.profile_id)
    )


def set_policy(service: Service, scene: Scene) -> None:
    service.manage.change_settings(OPERATOR, scene.owner, SHORT)


def policy_holds_for_all_or_none(scene: Scene, finished: bool) -> None:
    """Past the end that the new policy gives them, profiles are erased if it is in force."""
    in_force = scene.service.stores.subscriptions.get(scene.owner).settings.retention.max_idle_days == 1.0
    assert in_force or not finished
    scene.clock.now = NOW
    later(scene)
    if in_force:
        no_profile_of_the_owner_is_readable(scene)
        run_timer(scene)
        no_voice_is_left(scene, finished)
    else:
        assert readable(scene, scene.key)
        assert readable(scene, scene.neighbour)


def withdraw(service: Service, scene: Scene) -> None:
    service.notes.withdraw_consent(CUSTOMER, scene.key)


def with_consent(scene: Scene) -> None:
    scene.service.notes.record_consent(CUSTOMER, scene.key, CONSENT)


def no_voice_without_consent(scene: Scene) -> None:
    profile = profile_or_none(scene)
    assert profile is not None
    assert readable(scene, scene.key) == (profile.consent.withdrawn_at is None)


def withdrawn_in_full_or_not(scene: Scene, finished: bool) -> None:
    profile = profile_or_none(scene)
    assert profile is not None
    withdrawn = profile.consent.withdrawn_at is not None
    assert withdrawn or not finished
    assert profile.consent.record == CONSENT
    assert profile.enrollments_count == (0 if withdrawn else 2)
    assert readable(scene, scene.key) == (not withdrawn)


def consent_recorded_or_not(scene: Scene, finished: bool) -> None:
    profile = profile_or_none(scene)
    assert profile is not None
    assert profile.consent.record in (None, CONSENT)
    assert profile.consent.given or not finished
    assert profile.enrollments_count == 2


def keep_for_a_day(service: Service, scene: Scene) -> None:
    profile = service.stores.profiles.get(scene.key)
    service.stores.profiles.annotate(replace(profile, retention=RetentionOverride(max_age_days=1.0)))


def own_retention_or_not(scene: Scene, finished: bool) -> None:
    profile = profile_or_none(scene)
    assert profile is not None
    short = profile.retention.max_age_days == 1.0
    assert short or not finished
    scene.clock.now = NOW
    later(scene)
    run_timer(scene)
    assert (profile_or_none(scene) is None) == short
    assert readable(scene, scene.neighbour)


def regenerate(service: Service, scene: Scene) -> None:
    service.manage.regenerate_key(OPERATOR, scene.owner, KeySlot.PRIMARY)


def one_primary_key_and_the_secondary(scene: Scene, finished: bool) -> None:
    """The old key opens as long as the new one is not in its place; the other key all the time."""
    old = opens(scene, f"{scene.owner} primary")
    assert not (old and finished)
    assert opens(scene, f"{scene.owner} secondary")
    fresh = start(scene.storage, scene.clock).manage.regenerate_key(OPERATOR, scene.owner, KeySlot.PRIMARY)
    assert opens(scene, fresh)
    assert not opens(scene, f"{scene.owner} primary")
    assert opens(scene, f"{scene.owner} secondary")


def rewrap(service: Service, scene: Scene) -> None:
    service.rewrap(scene.owner)


def voices_open_under_either_key(scene: Scene, finished: bool) -> None:
    new_only = DataKeys(scene.storage.subscriptions, LocalKeyEncryption(NEW_KEY_ENCRYPTION_KEY))
    try:
        new_only.of(scene.owner)
        moved = True
    except TimbreError:
        moved = False
    assert moved or not finished
    assert readable(scene, scene.key) == (not moved)  # a fresh instance here knows the old key only
    assert not start(scene.storage, scene.clock).rewrap(scene.owner) if moved else True


def erase_profile(service: Service, scene: Scene) -> None:
    service.profiles.erase(CUSTOMER, scene.key)


def profile_gone_or_whole(scene: Scene, finished: bool) -> None:
    gone = profile_or_none(scene) is None
    assert gone or not finished
    assert readable(scene, scene.key) == (not gone)
    assert readable(scene, scene.neighbour)


CHANGES = [
    Change(
        "delete-subscription",
        delete_subscription,
        nothing_is_left_of_a_deleted_one,
        at_once=data_key_goes_with_the_state,
    ),
    Change("purge", tick, nothing_is_left_of_a_deleted_one, before=begun, at_once=data_key_goes_with_the_state),
    Change("set-policy", set_policy, policy_holds_for_all_or_none),
    Change("expire", tick, no_voice_is_left, about_to_expire, no_profile_of_the_owner_is_readable),
    Change("policy-walk", tick, no_voice_is_left, expired_but_not_looked_at, no_profile_of_the_owner_is_readable),
    Change("withdraw-consent", withdraw, withdrawn_in_full_or_not, with_consent, no_voice_without_consent),
    Change("record-consent", lambda s, on: s.notes.record_consent(CUSTOMER, on.key, CONSENT), consent_recorded_or_not),
    Change("own-retention", keep_for_a_day, own_retention_or_not),
    Change("regenerate-key", regenerate, one_primary_key_and_the_secondary),
    Change("rewrap", rewrap, voices_open_under_either_key),
    Change("erase-profile", erase_profile, profile_gone_or_whole),
]
