"""The audit trail, on every technology."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.domain.audit import TIMER, Actor, AuditAction, AuditEntry, AuditFilter, AuditOutcome, ChangedValue, via_key
from shared.domain.page import Page
from shared.domain.profile import ProfileKey, ProfileKind, RetentionOverride
from shared.domain.subscription import SettingsChange
from shared.storage import audit
from shared.storage.audit import RowAuditTrail, record_of, subscription_record_of
from shared.storage.layout import SUBSCRIPTIONS_PARTITION
from shared.storage.stores import Storage, Stores
from tests.contract.stores import new_id, new_profile, new_subscription

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)


def trail_of(storage: Storage) -> RowAuditTrail:
    return RowAuditTrail(storage.audit, storage.voices, storage.subscriptions)


def entry(subscription_id: str, at: datetime = NOW) -> AuditEntry:
    return AuditEntry(
        subscription_id,
        new_id(),
        at,
        Actor(via_key("primary"), new_id()),
        AuditAction.CHANGE_SETTINGS,
        names=("max_profiles",),
    )


def recorded(trail: RowAuditTrail, subscription_id: str, count: int) -> list[AuditEntry]:
    """One entry a minute."""
    entries = [entry(subscription_id, NOW + timedelta(minutes=number)) for number in range(count)]
    for one in entries:
        trail.record(one)
    return entries


def everything(trail: RowAuditTrail, subscription_id: str) -> list[AuditEntry]:
    return list(trail.page(subscription_id, AuditFilter(), after=None, limit=1_000).items)


@pytest.mark.parametrize("action", [action for action in AuditAction if not action.is_recognition])
@pytest.mark.parametrize("via", [via_key("secondary"), TIMER])
def test_what_was_recorded_is_read_again(storage: Storage, action: AuditAction, via: str) -> None:
    subscription_id = new_id()
    full = AuditEntry(
        subscription_id=subscription_id,
        entry_id=new_id(),
        at=NOW,
        actor=Actor(via, "request-1"),
        action=action,
        outcome=AuditOutcome.REFUSED,
        reason="SpeechTooShort",
        profile=ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, new_id()),
        model_id="ge2e-1",
        names=("max_age_days", "passphrases"),
        changes=(ChangedValue("a.name", None, {"en-US": 1}), ChangedValue("another", 0.5, True)),
    )
    bare = AuditEntry(subscription_id, new_id(), NOW + timedelta(microseconds=1), Actor(via, "request-2"), action)
    trail = trail_of(storage)
    trail.record(bare)
    trail.record(full)
    assert everything(trail_of(storage), subscription_id) == [full, bare]


@pytest.mark.parametrize("slot", ["primary", "secondary"])
def test_a_record_of_an_earlier_version_names_its_key(storage: Storage, slot: str) -> None:
    """It has the slot alone."""
    subscription_id = new_id()
    trail_of(storage).record(replace(entry(subscription_id), actor=Actor(slot, "request")))
    assert [one.actor.via for one in everything(trail_of(storage), subscription_id)] == [f"key:{slot}"]


def waiting(storage: Storage, subscription_id: str) -> list[AuditEntry]:
    """Four records as changes leave them, of voices and of the subscription by turns, and one that is in the trail."""
    entries = [entry(subscription_id, NOW + timedelta(minutes=number)) for number in range(5)]
    for one in entries[0:4:2]:
        storage.voices.apply(subscription_id, record_of(one))
    for one in entries[1:4:2]:
        storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, subscription_record_of(one))
    trail_of(storage).record(entries[4])
    return entries


def test_what_waits_is_read_in_its_place_and_stays_there_when_it_is_moved(storage: Storage) -> None:
    mine, yours = new_id(), new_id()
    entries, theirs = waiting(storage, mine), waiting(storage, yours)
    trail = trail_of(storage)
    first = trail.page(mine, AuditFilter(), after=None, limit=2)
    assert list(first.items) == entries[:2]
    assert (trail.settle(mine, 1), trail.settle(mine, 10), trail.settle(mine, 10)) == (1, 1, 0)
    assert (trail.settle_subscriptions(3), trail.settle_subscriptions(10), trail.settle_subscriptions(10)) == (3, 1, 0)
    rest = trail.page(mine, AuditFilter(), after=first.after, limit=10)
    assert [*first.items, *rest.items] == entries
    assert everything(trail, yours) == theirs
    assert len(list(storage.audit.query(mine, "at:", "at;", select=()))) == 5


def test_a_change_that_was_made_after_all_takes_the_place_of_a_record_that_could_not_tell(storage: Storage) -> None:
    subscription_id = new_id()
    made = entry(subscription_id)
    trail = trail_of(storage)
    trail.record(replace(made, outcome=AuditOutcome.UNKNOWN, reason="StorageUnavailable"))
    storage.voices.apply(subscription_id, record_of(made))
    assert everything(trail, subscription_id) == [made]
    assert trail.settle(subscription_id, 10) == 1
    assert everything(trail, subscription_id) == [made]


def test_a_change_whose_record_is_there_already_was_made_and_is_not_made_again(
    stores: Stores, subscription_id: str
) -> None:
    """As when the first answer was lost and the caller reads again: the record tells."""
    profile = stores.profiles.create(new_profile(subscription_id), 10)
    noted, changed = entry(subscription_id), entry(subscription_id, NOW + timedelta(seconds=1))
    for days in (5.0, 6.0):
        before = stores.profiles.get(profile.key)
        stores.profiles.annotate(replace(before, retention=RetentionOverride(max_age_days=days)), noted)
        stores.subscriptions.change(subscription_id, SettingsChange(max_profiles=int(days)), changed)
    assert stores.profiles.get(profile.key).retention.max_age_days == 5.0
    assert stores.subscriptions.get(subscription_id).settings.max_profiles == 5
    assert [one.entry_id for one in everything(stores.trail, subscription_id)] == [noted.entry_id, changed.entry_id]


def test_a_move_that_was_cut_off_is_finished_by_the_next(storage: Storage) -> None:
    subscription_id = new_id()
    made = [entry(subscription_id) for _ in range(2)]
    storage.voices.apply(subscription_id, record_of(made[0]))
    trail_of(storage).settle(subscription_id, 10)
    storage.voices.apply(subscription_id, [*record_of(made[0]), *record_of(made[1])])
    assert trail_of(storage).settle(subscription_id, 10) == 2
    assert {one.entry_id for one in everything(trail_of(storage), subscription_id)} == {one.entry_id for one in made}


def test_the_same_entry_twice_is_one(storage: Storage) -> None:
    """As when the first answer was lost."""
    subscription_id = new_id()
    trail, one = trail_of(storage), entry(subscription_id)
    trail.record(one)
    trail.record(replace(one, outcome=AuditOutcome.REFUSED))
    assert everything(trail, subscription_id) == [one]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize(("since", "until"), [(None, None), (1, None), (None, 3), (2, 5), (5, 2)])
def test_pages_have_every_entry_of_a_range_once_the_oldest_first(
    storage: Storage, limit: int, since: int | None, until: int | None
) -> None:
    """A range has its start and not its end. The last two entries are of one moment."""
    subscription_id, trail, elsewhere = new_id(), trail_of(storage), timezone(timedelta(hours=9))
    entries = recorded(trail, subscription_id, 6)
    trail.record(entry(subscription_id, entries[-1].at))
    start, end = (None if at is None else entries[at].at.astimezone(elsewhere) for at in (since, until))
    seen: list[AuditEntry] = []
    after: str | None = None
    while not seen or after:
        page = trail.page(subscription_id, AuditFilter(start, end), after=after, limit=limit)
        assert len(page.items) <= limit
        seen += page.items
        after = page.after
        if not page.items:
            break
    wanted = everything(trail, subscription_id)
    assert wanted[:5] == entries[:5]
    assert seen == [one for one in wanted if (not start or one.at >= start) and (not end or one.at < end)]


def test_a_filter_looks_at_so_many_rows_and_says_where_it_stopped(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "LOOKED_AT", 3)
    subscription_id = new_id()
    entries = waiting(storage, subscription_id)
    wanted = replace(entries[4], action=AuditAction.ENROLL, entry_id=new_id(), at=NOW + timedelta(hours=1))
    storage.voices.apply(subscription_id, record_of(wanted))
    trail, only = trail_of(storage), AuditFilter(action=AuditAction.ENROLL)
    first = trail.page(subscription_id, only, after=None, limit=10)
    assert (first.items, bool(first.after)) == ([], True)
    assert trail.page(subscription_id, only, after=first.after, limit=10) == Page([wanted])
    assert trail.page(subscription_id, only, after=first.after, limit=1) == Page([wanted])
    others = AuditFilter(action=entries[0].action)
    short = trail.page(subscription_id, others, after=None, limit=2)
    assert list(short.items) == entries[:2]
    assert list(trail.page(subscription_id, others, after=short.after, limit=9).items) == entries[2:5]


def test_one_subscription_never_sees_anothers(storage: Storage) -> None:
    trail = trail_of(storage)
    mine, yours = new_id(), new_id()
    recorded(trail, mine, 2)
    assert everything(trail, yours) == []


def test_dropping_takes_the_oldest_before_a_moment_in_slices(storage: Storage) -> None:
    subscription_id = new_id()
    trail = trail_of(storage)
    entries = recorded(trail, subscription_id, 5)
    other = new_id()
    theirs = recorded(trail, other, 2)
    cutoff = entries[3].at
    assert trail.drop(subscription_id, cutoff, 2) == 2
    assert everything(trail, subscription_id) == entries[2:]
    assert trail.drop(subscription_id, cutoff, 10) == 1
    assert trail.drop(subscription_id, cutoff, 10) == 0
    assert everything(trail, subscription_id) == entries[3:]
    assert everything(trail, other) == theirs


def test_dropping_all_takes_more_than_one_transaction_holds(storage: Storage) -> None:
    subscription_id = new_id()
    trail = trail_of(storage)
    recorded(trail, subscription_id, 103)
    storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, subscription_record_of(entry(subscription_id)))
    assert trail.drop(subscription_id, None, 102) == 1, "what waits goes first: it cannot come back"
    assert trail.drop(subscription_id, None, 102) == 102
    assert trail.drop(subscription_id, None, 102) == 1
    assert everything(trail, subscription_id) == []


def recognition(key: ProfileKey | str, minutes: int = 0) -> AuditEntry:
    profile = key if isinstance(key, ProfileKey) else None
    return replace(
        entry(key.subscription_id if isinstance(key, ProfileKey) else key, NOW + timedelta(minutes=minutes)),
        action=AuditAction.VERIFY if profile else AuditAction.IDENTIFY,
        outcome=AuditOutcome.ACCEPTED if profile else AuditOutcome.REJECTED,
        profile=profile,
        names=(),
        score=0.87,
    )


def recognitions_of(storage: Storage, subscription_id: str) -> list[str]:
    rows = storage.voices.query(subscription_id, "recog", "recoh", select=())
    return [row.key.partition(":")[0] for row in rows]


def test_a_recognition_is_read_among_the_others_and_goes_with_its_profile(
    stores: Stores, subscription_id: str, storage: Storage
) -> None:
    doomed, living = (stores.profiles.create(new_profile(subscription_id), 10).key for _ in range(2))
    changes = recorded(stores.trail, subscription_id, 2)
    both = [recognition(doomed, minutes=number) for number in range(-60, 60)]
    kept = [recognition(living, 70), recognition(subscription_id, 71)]
    for one in (*both, *kept, *both[:1]):  # the last is written twice
        stores.trail.record(one)
    assert everything(stores.trail, subscription_id) == sorted(
        [*both, *changes, *kept], key=lambda one: (one.at, one.entry_id)
    )
    chosen = AuditFilter(action=AuditAction.IDENTIFY)
    assert stores.trail.page(subscription_id, chosen, after=None, limit=10) == Page(kept[1:])
    stores.profiles.reset(doomed, NOW)
    assert len(everything(stores.trail, subscription_id)) == 124
    stores.profiles.delete(doomed, NOW)
    stores.trail.record(recognition(doomed, 72))  # of a request that was under way
    assert everything(stores.trail, subscription_id) == [*changes, *kept]
    assert sorted(recognitions_of(storage, subscription_id)) == ["recognised", "recognition", "recognition"]


def test_recognitions_go_when_their_days_are_over(stores: Stores, storage: Storage) -> None:
    key = stores.profiles.create(new_profile(new_subscription(stores)), 10).key
    kept = recognition(key, 60)
    for one in (*(recognition(key, number) for number in range(59)), recognition(key.subscription_id, 59), kept):
        stores.trail.record(one)
    dropped = [stores.trail.drop_recognitions(key.subscription_id, kept.at, limit) for limit in (7, 100, 100)]
    assert dropped == [7, 53, 0]
    assert everything(stores.trail, key.subscription_id) == [kept]
    assert sorted(recognitions_of(storage, key.subscription_id)) == ["recognised", "recognition"]


def test_no_name_of_a_record_can_hold_what_was_said(storage: Storage) -> None:
    """The stored properties are these; each is an id, a name out of a fixed list, or a time."""
    subscription_id = new_id()
    trail_of(storage).record(entry(subscription_id))
    (row,) = storage.audit.query(subscription_id, "at:", "at;")
    assert set(row.values) == {"at", "via", "request_id", "action", "outcome", "names"}
