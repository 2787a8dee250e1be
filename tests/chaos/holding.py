"""What is there of a subscription, and what must hold behind a cut."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from shared.domain.access import Role
from shared.domain.consent import ConsentRecord
from shared.domain.errors import TimbreError
from shared.domain.profile import Profile, RetentionOverride
from shared.domain.subscription import KeySlot, SettingsChange, SubscriptionState
from shared.storage.layout import subscription_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from tests.chaos.service import (
    NEW_KEY_ENCRYPTION_KEY,
    OPERATOR,
    Scene,
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


def profile(scene: Scene) -> Profile:
    return scene.stores.profiles.get(scene.key)


def is_gone(scene: Scene) -> bool:
    with suppress(TimbreError):
        profile(scene)
        return False
    return True


def enrolled(times: int) -> Callable[[Scene], bool]:
    return lambda scene: profile(scene).enrollments_count == times


def opens(scene: Scene, key: str) -> bool:
    with suppress(TimbreError):
        return scene.stores.subscriptions.opened_by(key)[0].subscription_id == scene.owner
    return False


def unreachable_from_the_tombstone_on(scene: Scene) -> None:
    if any(":erase:" in row for row in all_of(scene.storage, scene.owner)):
        assert not readable(scene, scene.key)


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


def later(scene: Scene, days: float = 1.0) -> None:
    scene.clock.now = NOW + timedelta(days=days, seconds=1)


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
