"""Whatever dies, a change is on record exactly when it is made: every storage call of every change fails once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.domain.access import Role
from shared.domain.audit import AuditAction, AuditEntry, AuditFilter, AuditOutcome, Caller
from shared.domain.consent import ConsentRecord
from shared.domain.errors import StorageUnavailable, TimbreError
from shared.domain.profile import ProfileKey, ProfileKind, RetentionOverride
from shared.domain.subscription import KeySlot, SettingsChange, Subscription
from shared.services.enroll import EnrollRequest
from shared.storage.stores import Storage, Stores
from tests.chaos.service import CUSTOMER, OPERATOR, Service, start
from tests.contract.cutting import Failure, ProcessDied, cuts
from tests.contract.stores import NOW, Clock
from tests.unit.services import spoken
from tests.unit.services.spoken import AT_ONCE, Spoken

CONSENT = ConsentRecord("statement-1", NOW, "web", "document-7")


@dataclass
class On:
    """What the changes are made on: a subscription with an enrolled profile that is in a group."""

    storage: Storage
    clock: Clock
    caller: Caller
    key: ProfileKey


@dataclass(frozen=True)
class Change:
    """``made`` looks at what is stored, whatever the caller was told."""

    action: AuditAction
    run: Callable[[Service, On], object]
    made: Callable[[Stores, On], bool]
    before: Callable[[Service, On], object] = lambda service, on: None


def enrollments(stores: Stores, on: On) -> int:
    return stores.profiles.get(on.key).enrollments_count


def is_gone(stores: Stores, on: On) -> bool:
    try:
        stores.profiles.get(on.key)
    except TimbreError:
        return True
    return False


def profiles(stores: Stores, on: On) -> int:
    return len(stores.profiles.list("mine", ProfileKind.IDENTIFICATION))


def groups(stores: Stores) -> list[str]:
    return [group.name for group in stores.groups.page("mine", after=None, limit=10)]


def members(stores: Stores) -> list[str]:
    return list(stores.groups.members("mine", "night", after=None, limit=10))


def enroll(service: Service, on: On) -> None:
    service.enroll(EnrollRequest(on.caller, on.key, Spoken().audio, AT_ONCE))


def expire(service: Service, on: On) -> None:
    on.clock.now = NOW + timedelta(days=2)
    service.retain()


def exists(stores: Stores, subscription_id: str) -> bool:
    return subscription_id in stores.subscriptions.all_ids()


def opens(stores: Stores, key: str) -> bool:
    with suppress(TimbreError):
        return bool(stores.subscriptions.by_key(key))
    return False


def roles(stores: Stores) -> dict[str, Role]:
    return {key.name: key.role for key in stores.subscriptions.keys("mine") if key.name not in list(KeySlot)}


A = AuditAction
LIMITED, SHORT = SettingsChange(max_profiles=7), SettingsChange(max_age_days=1.0)
CHANGES = [
    Change(
        A.CREATE_PROFILE,
        lambda s, on: s.profiles.create(on.caller, ProfileKind.IDENTIFICATION, "en-us"),
        lambda stores, on: profiles(stores, on) == 2,
    ),
    Change(A.ENROLL, enroll, lambda stores, on: enrollments(stores, on) == 2),
    Change(
        A.RESET_PROFILE,
        lambda s, on: s.profiles.reset(CUSTOMER, on.key),
        lambda stores, on: enrollments(stores, on) == 0,
    ),
    Change(A.DELETE_PROFILE, lambda s, on: s.profiles.erase(CUSTOMER, on.key), is_gone),
    Change(
        A.EXPIRE_PROFILE,
        expire,
        is_gone,
        before=lambda s, on: s.notes.change_retention(CUSTOMER, on.key, RetentionOverride(max_age_days=1.0)),
    ),
    Change(
        A.CHANGE_PROFILE_RETENTION,
        lambda s, on: s.notes.change_retention(CUSTOMER, on.key, RetentionOverride(max_age_days=9.0)),
        lambda stores, on: stores.profiles.get(on.key).retention.max_age_days == 9.0,
    ),
    Change(
        A.RECORD_CONSENT,
        lambda s, on: s.notes.record_consent(CUSTOMER, on.key, CONSENT),
        lambda stores, on: stores.profiles.get(on.key).consent.record == CONSENT,
    ),
    Change(
        A.WITHDRAW_CONSENT,
        lambda s, on: s.notes.withdraw_consent(CUSTOMER, on.key),
        lambda stores, on: enrollments(stores, on) == 0,
    ),
    Change(
        A.PUT_GROUP, lambda s, on: s.groups.put(CUSTOMER, "mine", "day"), lambda stores, on: "day" in groups(stores)
    ),
    Change(
        A.DELETE_GROUP, lambda s, on: s.groups.remove(CUSTOMER, "mine", "night"), lambda stores, on: not groups(stores)
    ),
    Change(
        A.ADD_TO_GROUP, lambda s, on: s.groups.add(CUSTOMER, "night", on.key), lambda stores, on: bool(members(stores))
    ),
    Change(
        A.TAKE_FROM_GROUP,
        lambda s, on: s.groups.take_out(CUSTOMER, "night", on.key),
        lambda stores, on: not members(stores),
        before=lambda s, on: s.groups.add(CUSTOMER, "night", on.key),
    ),
    Change(
        A.CHANGE_SETTINGS,
        lambda s, on: s.manage.change_settings(OPERATOR, "mine", LIMITED),
        lambda stores, on: stores.subscriptions.get("mine").settings.max_profiles == 7,
    ),
    Change(
        A.PUT_KEY,
        lambda s, on: s.manage.put_key(OPERATOR, "mine", "kiosk", Role.ENROLL, None),
        lambda stores, on: roles(stores) == {"kiosk": Role.ENROLL},
        before=lambda s, on: s.manage.put_key(OPERATOR, "mine", "kiosk", Role.RECOGNISE, None),
    ),
    Change(
        A.DELETE_KEY,
        lambda s, on: s.manage.delete_key(OPERATOR, "mine", "kiosk"),
        lambda stores, on: not roles(stores),
        before=lambda s, on: s.manage.put_key(OPERATOR, "mine", "kiosk", Role.RECOGNISE, None),
    ),
    Change(
        A.REGENERATE_KEY,
        lambda s, on: s.manage.regenerate_key(OPERATOR, "mine", KeySlot.PRIMARY),
        lambda stores, on: not opens(stores, "mine primary"),
    ),
]


def stage(change: Change) -> On:
    storage, clock = Storage.in_memory(), Clock()
    service = start(storage, clock)
    mine = Subscription("mine", created_at=NOW)
    caller = spoken.caller(service.stores.subscriptions.create(mine, {KeySlot.PRIMARY: "mine primary"}))
    key = service.profiles.create(caller, ProfileKind.IDENTIFICATION, "en-us").key
    on = On(storage, clock, caller, key)
    enroll(service, on)
    service.groups.put(CUSTOMER, "mine", "night")
    change.before(service, on)
    clock.now += timedelta(seconds=1)  # what is recorded from here on comes last
    return on


def trail(stores: Stores, subscription_id: str) -> list[AuditEntry]:
    return list(stores.trail.page(subscription_id, AuditFilter(), after=None, limit=100).items)


def records_of(stores: Stores, change: Change) -> list[AuditEntry]:
    entries = [entry for entry in trail(stores, "mine") if entry.at > NOW and entry.action is change.action]
    assert len({entry.entry_id for entry in entries}) == len(entries)
    return [entry for entry in entries if entry.outcome is AuditOutcome.SUCCEEDED]


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.action.value)
def test_a_change_is_on_record_exactly_when_it_is_made(change: Change, failure: Failure) -> None:
    for scissors in cuts(failure, least=1):
        on = stage(change)
        with suppress(ProcessDied, StorageUnavailable):
            change.run(start(on.storage, on.clock, scissors), on)
        again = start(on.storage, on.clock)
        made = change.made(again.stores, on)
        if change.action is not AuditAction.EXPIRE_PROFILE:  # which is absent before it is removed
            assert len(records_of(again.stores, change)) == made, "a reader sees at once what waits"
        while again.retain():
            pass
        assert len(records_of(again.stores, change)) == made
        assert not list(on.storage.voices.query("mine", "record:", "record;"))
        assert made or scissors.reached


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
def test_a_subscription_is_on_record_exactly_when_it_is_there(failure: Failure) -> None:
    for scissors in cuts(failure):
        storage = Storage.in_memory()
        with suppress(ProcessDied, StorageUnavailable):
            start(storage, Clock(), scissors).manage.put(OPERATOR, "new", SHORT)
        again = start(storage, Clock())
        while again.retain():
            pass
        outcomes = [entry.outcome for entry in trail(again.stores, "new") if entry.action is A.CREATE_SUBSCRIPTION]
        assert outcomes.count(AuditOutcome.SUCCEEDED) == exists(again.stores, "new")


def test_every_change_that_is_recorded_is_tried() -> None:
    elsewhere = {A.EXPORT_SUBSCRIPTION, A.CREATE_SUBSCRIPTION}
    assert {change.action for change in CHANGES} | elsewhere == {one for one in AuditAction if not one.is_recognition}
