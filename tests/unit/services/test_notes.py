"""Consent: recorded, demanded where the subscription says so, and taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.audit import AuditAction, AuditOutcome
from shared.domain.consent import Consent, ConsentRecord
from shared.domain.errors import ConsentMissing, ConsentWithdrawn, ProfileNotFound
from shared.domain.profile import ProfileKey, RetentionOverride
from shared.domain.subscription import SubscriptionSettings
from shared.services.notes import ProfileNotes
from shared.services.ports.keeping import ProfileStore
from tests.unit.services.spoken import ACTOR, TII, Interrupted, World

DEMANDING = SubscriptionSettings(require_consent=True)


def notes(world: World) -> ProfileNotes:
    return ProfileNotes(world.profiles, world.audit, world.clock)


def record(world: World, key: ProfileKey) -> None:
    notes(world).record_consent(ACTOR, key, ConsentRecord("statement", world.clock()))


def withdraw(world: World, key: ProfileKey) -> None:
    notes(world).withdraw_consent(ACTOR, key)


def enroll(
    world: World, key: ProfileKey, profiles: ProfileStore | None = None, settings: SubscriptionSettings = DEMANDING
) -> None:
    world.enroll(key, settings=settings, profiles=profiles)


def test_without_a_record_nothing_is_enrolled_and_nothing_written(world: World) -> None:
    key = world.create(TII)
    before = world.stored()
    world.clock.advance(seconds=1)
    with pytest.raises(ConsentMissing):
        enroll(world, key)
    assert world.stored() == before
    last = world.audited()[-1]
    assert (last.action, last.outcome, last.reason) == (AuditAction.ENROLL, AuditOutcome.REFUSED, "ConsentMissing")


def test_a_record_opens_the_profile_and_a_withdrawal_shuts_it(world: World) -> None:
    key = world.create(TII)
    record(world, key)
    enroll(world, key)
    withdraw(world, key)
    profile, signature = world.profiles.get_with_signature(key)
    assert (profile.enrollments_count, signature, world.kept_audio()) == (0, None, [])
    for settings in (DEMANDING, SubscriptionSettings()):
        with pytest.raises(ConsentWithdrawn):
            enroll(world, key, settings=settings)
    record(world, key)
    enroll(world, key)
    assert world.profiles.get(key).enrollments_count == 1


def test_a_withdrawal_in_the_middle_of_an_enrollment_stops_it(world: World) -> None:
    key = world.create(TII)
    record(world, key)
    with pytest.raises(ConsentWithdrawn):
        enroll(world, key, Interrupted(world.profiles, lambda: withdraw(world, key)))
    assert world.profiles.get(key).enrollments_count == 0
    assert world.kept_audio() == []


def test_a_record_in_the_middle_of_an_enrollment_is_not_lost(world: World) -> None:
    key = world.create(TII)
    enroll(world, key, Interrupted(world.profiles, lambda: record(world, key)), settings=SubscriptionSettings())
    profile = world.profiles.get(key)
    assert profile.enrollments_count == 1
    assert profile.consent.given


def test_a_second_withdrawal_changes_nothing(world: World) -> None:
    key = world.create(TII)
    withdraw(world, key)
    before = world.stored()
    world.clock.advance(hours=1)
    withdraw(world, key)
    assert world.stored() == before


def test_a_reset_keeps_what_is_noted(world: World) -> None:
    key = world.create(TII)
    record(world, key)
    own = RetentionOverride(max_idle_days=7.0)
    notes(world).change_retention(ACTOR, key, own)
    noted = world.profiles.get(key)
    enroll(world, key)
    world.profiles.reset(key, world.clock())
    profile = world.profiles.get(key)
    assert (profile.consent, profile.retention) == (noted.consent, own)
    assert profile.consent == Consent(ConsentRecord("statement", world.clock()))


def test_a_foreign_profile_is_an_absent_one(world: World) -> None:
    key = replace(world.create(TII), subscription_id="yours")
    for change in (record, withdraw):
        with pytest.raises(ProfileNotFound):
            change(world, key)
    assert world.audited("yours") == []
