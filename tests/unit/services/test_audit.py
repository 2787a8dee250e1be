"""How a change ends is what its record says; and a record never fails a change."""

from __future__ import annotations

import logging

import pytest

from shared.domain.audit import Actor, AuditAction, AuditEntry, AuditOutcome, Via
from shared.domain.errors import (
    LimitReached,
    ProfileBusy,
    ProfileNotFound,
    RequestInvalid,
    SpeechTooShort,
    StorageUnavailable,
    SubscriptionNotActive,
    SubscriptionUnknown,
    TimbreError,
    TooManyProfiles,
)
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.subscription import KeySlot, SettingsChange
from shared.services.audit import Audit
from shared.services.profiles import Profiles
from shared.storage.audit import RowAuditTrail
from shared.storage.backend.memory import MemoryRows
from tests.unit.services.spoken import ACTOR, Spoken, World, caller

TDV, TII = ProfileKind.TEXT_DEPENDENT_VERIFICATION, ProfileKind.IDENTIFICATION
KEY = ProfileKey("mine", TDV, "d7c62d70-632d-4e3d-af8b-8e5485f56dad")


class FullTrail(RowAuditTrail):
    """Takes nothing in."""

    def __init__(self) -> None:
        super().__init__(MemoryRows())

    def record(self, entry: AuditEntry) -> None:
        raise StorageUnavailable


def attempt(world: World, error: Exception | None) -> None:
    with world.audit.recording(ACTOR, AuditAction.ENROLL, KEY, model_id="model-1"):
        if error:
            raise error


def test_a_change_that_was_made_is_recorded_with_who_what_and_when(world: World) -> None:
    attempt(world, None)
    (entry,) = world.audited()
    assert entry == AuditEntry(
        subscription_id="mine",
        entry_id=entry.entry_id,
        at=world.clock(),
        actor=ACTOR,
        action=AuditAction.ENROLL,
        outcome=AuditOutcome.SUCCEEDED,
        profile=KEY,
        model_id="model-1",
    )


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (SpeechTooShort(0.1, 0.5), AuditOutcome.REFUSED),
        (TooManyProfiles(3), AuditOutcome.REFUSED),
        (ProfileBusy("an id"), AuditOutcome.REFUSED),
        (StorageUnavailable(), AuditOutcome.UNKNOWN),
        (ZeroDivisionError("a defect that names what was said"), AuditOutcome.UNKNOWN),
    ],
)
def test_the_outcome_is_what_the_caller_was_told(world: World, error: Exception, outcome: AuditOutcome) -> None:
    with pytest.raises(type(error)):
        attempt(world, error)
    (entry,) = world.audited()
    assert (entry.outcome, entry.reason) == (outcome, type(error).__name__)
    assert "what was said" not in str(entry)


@pytest.mark.parametrize(
    "error",
    [
        ProfileNotFound("an id"),
        RequestInvalid("nothing"),
        SubscriptionUnknown(),
        SubscriptionNotActive("mine", "deleting"),
    ],
)
def test_what_names_nothing_to_be_changed_is_not_recorded(world: World, error: TimbreError) -> None:
    with pytest.raises(type(error)):
        attempt(world, error)
    assert world.audited() == []


def test_a_trail_that_takes_nothing_in_fails_no_change_and_the_log_has_the_record(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    audit = Audit(FullTrail(), world.clock, world.new_id)
    with caplog.at_level(logging.ERROR, "timbre.audit"):
        created = Profiles(world.profiles, audit, world.clock, world.new_id).create(world.me, TDV, "en-us")
    assert world.profiles.get(created.key).created_at == world.clock()
    (line,) = caplog.messages
    for part in ("audit_unwritten", "mine", "profile.create", "succeeded", created.key.profile_id, "a request"):
        assert part in line


def test_every_use_case_that_changes_a_profile_records_it(world: World) -> None:
    secondary = Actor(Via.key(KeySlot.SECONDARY), "another request")
    key = world.create(TDV)
    world.enroll(key, Spoken(phrase=2))
    with pytest.raises(TimbreError):
        world.enroll(key, Spoken(phrase=1))
    world.use_cases.reset(secondary, key)
    world.use_cases.erase(secondary, key)
    assert sorted(
        (one.action.value, one.outcome.value, one.reason, one.actor.via.value, one.model_id) for one in world.audited()
    ) == [
        ("profile.create", "succeeded", "", "primary", None),
        ("profile.delete", "succeeded", "", "secondary", None),
        ("profile.enroll", "refused", "PassphraseDiffers", "primary", "spoken-1"),
        ("profile.enroll", "succeeded", "", "primary", "spoken-1"),
        ("profile.reset", "succeeded", "", "secondary", None),
    ]
    assert {one.profile for one in world.audited()} == {key}


def test_speech_is_recorded_like_a_phrase(world: World) -> None:
    key = world.create(TII)
    world.enroll(key)
    (enrolled,) = [one for one in world.audited() if one.action is AuditAction.ENROLL]
    assert (enrolled.outcome, enrolled.profile, enrolled.model_id) == (AuditOutcome.SUCCEEDED, key, "spoken-1")


def test_a_creation_beyond_the_limit_is_recorded_as_refused(world: World) -> None:
    none = world.subscriptions.change("mine", SettingsChange(max_profiles=1))
    create = world.use_cases.create
    create(caller(none), TII, "en-us")
    with pytest.raises(LimitReached):
        create(caller(none), TII, "en-us")
    assert sorted((one.outcome.value, one.reason) for one in world.audited()) == [
        ("refused", "TooManyProfiles"),
        ("succeeded", ""),
    ]
