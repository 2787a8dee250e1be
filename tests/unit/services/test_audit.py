"""How a change ends is what its record says; and a record never fails a change."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from shared.domain.audit import Actor, AuditAction, AuditEntry, AuditOutcome, via_key
from shared.domain.errors import (
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
from shared.domain.profile import ProfileKey
from shared.domain.subscription import SettingsChange, SubscriptionSettings
from shared.services.audit import Audit
from shared.services.profiles import Profiles
from shared.storage.audit import RowAuditTrail
from shared.storage.backend.memory import MemoryRows
from tests.unit.services.spoken import ACTOR, TDV, TII, Spoken, World, caller

KEY = ProfileKey("mine", TDV, "d7c62d70-632d-4e3d-af8b-8e5485f56dad")
SUCCEEDED, REFUSED, UNKNOWN, *_ = AuditOutcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, None),
        (SpeechTooShort(0.1, 0.5), REFUSED),
        (TooManyProfiles(3), REFUSED),
        (ProfileBusy("an id"), REFUSED),
        (StorageUnavailable(), UNKNOWN),
        (ZeroDivisionError("a defect that names a phrase"), UNKNOWN),
        (ProfileNotFound("an id"), None),
        (RequestInvalid("nothing"), None),
        (SubscriptionUnknown(), None),
        (SubscriptionNotActive("mine", "deleting"), None),
    ],
)
def test_the_outcome_is_what_the_caller_was_told(
    world: World, error: Exception | None, outcome: AuditOutcome | None
) -> None:
    """``None``: nothing is recorded here, as the change took its record along, or nothing was named that could be
    changed."""
    recorded = []
    try:
        with world.audit.recording(ACTOR, AuditAction.ENROLL, KEY, model_id="model-1"):
            if error:
                raise error
    except Exception as raised:  # noqa: BLE001  the very error
        recorded.append(raised)
    assert recorded == ([error] if error else [])
    reason = type(error).__name__ if error else ""
    assert [(entry.subscription_id, entry.at, entry.outcome, entry.reason) for entry in world.audited()] == (
        [("mine", world.clock(), outcome, reason)] if outcome else []
    )
    for entry in world.audited():
        assert (entry.actor, entry.action, entry.profile, entry.model_id) == (ACTOR, AuditAction.ENROLL, KEY, "model-1")
        assert "phrase" not in str(entry)


def test_a_trail_that_takes_nothing_in_alters_no_answer_and_the_log_has_the_record(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class FullTrail(RowAuditTrail):
        def record(self, entry: AuditEntry) -> None:
            raise StorageUnavailable

    audit = Audit(FullTrail(MemoryRows(), MemoryRows(), MemoryRows()), world.clock, world.new_id)
    with caplog.at_level(logging.ERROR, "timbre.audit"):
        profiles = Profiles(world.profiles, audit, world.clock, world.new_id)
        key = profiles.create(world.me, TDV, "en-us").key
        full = caller(replace(world.mine, settings=SubscriptionSettings(max_profiles=1)))
        with pytest.raises(TooManyProfiles):
            profiles.create(full, TDV, "en-us")
    assert [(entry.profile, entry.outcome) for entry in world.audited()] == [(key, SUCCEEDED)]
    (line,) = caplog.messages
    for part in ("audit_unwritten", "mine", "profile.create", "refused", "TooManyProfiles", "a request"):
        assert part in line


def test_every_use_case_that_changes_a_profile_records_it(world: World) -> None:
    secondary = Actor(via_key("secondary"), "another request")
    full = caller(world.subscriptions.change("mine", SettingsChange(max_profiles=1)))
    key = world.use_cases.create(full, TDV, "en-us").key
    with pytest.raises(TooManyProfiles):
        world.use_cases.create(full, TII, "en-us")
    world.enroll(key, Spoken(phrase=2))
    with pytest.raises(TimbreError):
        world.enroll(key, Spoken(phrase=1))
    world.use_cases.reset(secondary, key)
    world.use_cases.erase(secondary, key)
    trail = [
        (entry.action.value, entry.outcome.value, entry.reason, entry.actor.via, entry.model_id)
        for entry in world.audited()
    ]
    assert sorted(trail, key=str) == [
        ("profile.create", "refused", "TooManyProfiles", "key:primary", None),
        ("profile.create", "succeeded", "", "key:primary", None),
        ("profile.delete", "succeeded", "", "key:secondary", None),
        ("profile.enroll", "refused", "PassphraseDiffers", "key:primary", "spoken-1"),
        ("profile.enroll", "succeeded", "", "key:primary", "spoken-1"),
        ("profile.reset", "succeeded", "", "key:secondary", None),
    ]
    assert {entry.profile for entry in world.audited() if entry.outcome is SUCCEEDED} == {key}
