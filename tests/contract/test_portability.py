"""Export and import of a subscription, on memory and on Azurite: all of it arrives, once, under the other's keys."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from localhost.failure import CannotStart
from shared.domain.audit import MANAGEMENT, Actor
from shared.domain.consent import Consent, ConsentRecord
from shared.domain.errors import ProfileNotFound, SubscriptionNotFound, TooManyProfiles
from shared.domain.group import Group
from shared.domain.passphrase import PhraseTemplate
from shared.domain.profile import ProfileKey, ProfileKind, RetentionOverride
from shared.domain.subscription import SettingsChange
from shared.storage.stores import Storage, Stores
from tests.contract.stores import (
    NOW,
    enroll,
    everything,
    instance,
    keys_of,
    new_profile,
    new_subscription,
)
from tools.export_subscription import export
from tools.import_subscription import restore
from tools.portability.archive import ArchiveRefused, ArchiveWriter, lines
from tools.portability.content import encoded
from tools.portability.deployment import active
from tools.portability.writing import LEFT_ALONE, ImportCrossed, SubscriptionWriter, check

SECRET = b"a long and quiet afternoon"
COST = 2**14
TAKE = PhraseTemplate("takes-1", b"how it was said")
OPERATOR = Actor(MANAGEMENT, "00000000-0000-4000-8000-000000000001")


def filled(stores: Stores) -> tuple[str, list[ProfileKey]]:
    """One profile of each kind: an enrolled speaker, a phrase, one with consent and retention and no voice."""
    subscription_id = new_subscription(stores)
    speaker = stores.profiles.create(new_profile(subscription_id), 10)
    enroll(stores, speaker.key, seed=1)
    stores.profiles.reset(speaker.key, NOW)
    enroll(stores, speaker.key, seed=2)
    enroll(stores, speaker.key, seed=3, audio=None)
    phrase = stores.profiles.create(new_profile(subscription_id, ProfileKind.TEXT_DEPENDENT_VERIFICATION), 10)
    enroll(stores, phrase.key, seed=4, audio=None, phrase="my name is unknown to you", template=TAKE)
    silent = stores.profiles.create(
        new_profile(subscription_id, ProfileKind.TEXT_INDEPENDENT_VERIFICATION, "de-DE"), 10
    )
    noted = replace(
        silent,
        consent=Consent(ConsentRecord("form-7", NOW, "desk", "ref-1")),
        retention=RetentionOverride(max_age_days=None, max_idle_days=36_500.0),
    )
    stores.profiles.annotate(noted)
    stores.groups.put(Group(subscription_id, "team", "5f0c8e1a-0000-4000-8000-000000000000", NOW), 10)
    stores.groups.add("team", speaker.key)
    return subscription_id, [speaker.key, phrase.key, silent.key]


Full = tuple[str, list[ProfileKey]]


@pytest.fixture
def full(stores: Stores) -> Full:
    return filled(stores)


@pytest.fixture
def target_id(stores: Stores) -> str:
    return new_subscription(stores)


@pytest.fixture
def file(storage: Storage, full: Full, tmp_path: Path) -> Path:
    """The archive of the full subscription."""
    export(instance(storage), full[0], tmp_path / "a", SECRET, cost=COST)
    return tmp_path / "a"


def test_everything_arrives_in_another_deployment(stores: Stores, full: Full, file: Path, tmp_path: Path) -> None:
    other, keys = Storage.in_memory(), full[1]
    there = instance(other)
    target_id = new_subscription(there)
    restore(instance(other), target_id, file, SECRET)
    for key in keys:
        profile, signature = stores.profiles.get_with_signature(key)
        found, its = there.profiles.get_with_signature(replace(key, subscription_id=target_id))
        assert replace(found, key=key) == profile
        assert (its is None) == (signature is None)
        if its is not None and signature is not None:
            assert np.array_equal(its.pooled, signature.pooled)
            assert (its.model_id, its.speech_seconds) == (signature.model_id, signature.speech_seconds)
        assert there.profiles.templates(found) == ([TAKE] if key == keys[1] else [])
    assert there.groups.members(target_id, "team", after=None, limit=10) == [keys[0].profile_id]
    (audio,) = other.audio.names(f"{target_id}/")
    assert b"fLaC" not in (other.audio.get(audio) or b"")
    export(instance(other), target_id, tmp_path / "b", SECRET, cost=COST)
    assert portable(tmp_path / "b") == portable(file)


def records_of(file: Path) -> list[bytes]:
    with file.open("rb") as archive:
        return list(lines(archive, SECRET))


def portable(file: Path) -> list[bytes]:
    """But for the first record, which says whose they are, and groups, which are made anew."""
    return [
        record for record in records_of(file) if not record.startswith((b'{"type":"subscription"', b'{"type":"group"'))
    ]


def test_what_arrived_can_be_enrolled_further_reset_and_deleted_without_a_trace(
    stores: Stores, storage: Storage, full: Full, target_id: str, file: Path
) -> None:
    restore(instance(storage), target_id, file, SECRET)
    mine = [replace(key, subscription_id=target_id) for key in full[1]]
    assert enroll(stores, mine[0], seed=9).enrollments_count == 3
    assert stores.profiles.get(mine[1]).passphrase == "my name is unknown to you"
    stores.profiles.reset(mine[0], NOW)
    for key in mine:
        stores.profiles.delete(key, NOW)
    left = everything(storage, target_id)
    assert keys_of(left, "profile:") + keys_of(left, "enrollment:") + keys_of(left, target_id) == []
    assert keys_of(left, "due:") + keys_of(left, "member:") == []


def test_a_second_import_changes_nothing(storage: Storage, target_id: str, file: Path) -> None:
    restore(instance(storage), target_id, file, SECRET)
    before = everything(storage, target_id)
    done = restore(instance(storage), target_id, file, SECRET)
    assert (done.profiles, done.there_already) == (0, 3)
    assert everything(storage, target_id) == before


def test_an_id_that_is_taken_is_mapped_and_found_again(
    stores: Stores, storage: Storage, full: Full, target_id: str, file: Path
) -> None:
    key = full[1][0]
    taken = replace(new_profile(target_id), created_at=NOW - timedelta(days=1))
    stores.profiles.create(replace(taken, key=replace(key, subscription_id=target_id)), 10)
    first, again = (restore(instance(storage), target_id, file, SECRET) for _ in range(2))
    assert list(first.renamed) == [key.profile_id]
    assert again.renamed == first.renamed
    assert (again.profiles, again.there_already) == (0, 3)
    new_key = ProfileKey(target_id, key.kind, first.renamed[key.profile_id])
    assert stores.profiles.get(new_key).enrollments_count == 2
    assert stores.groups.members(target_id, "team", after=None, limit=10) == [new_key.profile_id]
    assert stores.profiles.get(replace(new_key, profile_id=key.profile_id)).enrollments_count == 0


def test_a_wrong_passphrase_or_a_cut_file_writes_nothing(storage: Storage, target_id: str, file: Path) -> None:
    before = everything(storage, target_id)
    with pytest.raises(ArchiveRefused):
        restore(instance(storage), target_id, file, b"another afternoon")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArchiveRefused):
        restore(instance(storage), target_id, file, SECRET)
    assert everything(storage, target_id) == before


class Torn(Exception):
    """The import is cut off here."""


def test_an_import_cut_at_any_record_is_finished_by_the_next(storage: Storage, technology: str, tmp_path: Path) -> None:
    source = Storage.in_memory()
    subscription_id, keys = filled(instance(source))
    export(instance(source), subscription_id, tmp_path / "a", SECRET, cost=COST)
    records = records_of(tmp_path / "a")
    stores = instance(storage)
    for cut in range(1, len(records), 1 if technology == "memory" else 3):
        target_id = new_subscription(stores)

        def torn(cut: int = cut) -> object:
            yield from records[:cut]
            raise Torn

        with pytest.raises(Torn):
            SubscriptionWriter(stores, active(stores, target_id)).write(torn(), OPERATOR)  # type: ignore[arg-type]
        restore(instance(storage), target_id, tmp_path / "a", SECRET)
        left = everything(storage, target_id)
        assert len(keys_of(left, "profile:")) == 3
        assert len(keys_of(left, "enrollment:")) == 3
        assert len(keys_of(left, target_id)) == 1
        assert [key for key in keys_of(left, "due:") if ":erase:" in key] == []
        assert stores.profiles.get(replace(keys[0], subscription_id=target_id)).enrollments_count == 2


def half_imported(storage: Storage, tmp_path: Path) -> tuple[str, ProfileKey, SubscriptionWriter]:
    """An import that has written a profile's enrollments and not yet the profile."""
    source = Storage.in_memory()
    subscription_id, keys = filled(instance(source))
    export(instance(source), subscription_id, tmp_path / "a", SECRET, cost=COST)
    records = records_of(tmp_path / "a")
    stores = instance(storage)
    target_id = new_subscription(stores)
    writer = SubscriptionWriter(stores, active(stores, target_id))
    until = next(number for number, one in enumerate(records) if b'"audio":"' in one)
    writer.write(records[: until + 1], OPERATOR)
    return target_id, replace(keys[0], subscription_id=target_id), writer


def test_what_is_half_imported_is_nobodys_and_the_timer_erases_it(storage: Storage, tmp_path: Path) -> None:
    target_id, key, _ = half_imported(storage, tmp_path)
    stores = instance(storage)
    with pytest.raises(ProfileNotFound):
        stores.profiles.get(key)
    assert keys_of(everything(storage, target_id), target_id)
    stores.upkeep.sweep(target_id, datetime.now(UTC) + LEFT_ALONE, 100)
    left = everything(storage, target_id)
    assert keys_of(left, target_id) + keys_of(left, f"enrollment:tii:{key.profile_id}") == []
    assert [one for one in keys_of(left, "due:") if ":erase:" in one] == []


def test_after_the_timer_was_faster_the_profile_is_not_written(storage: Storage, tmp_path: Path) -> None:
    target_id, key, writer = half_imported(storage, tmp_path)
    stores = instance(storage)
    opened = writer._open
    stores.upkeep.sweep(target_id, datetime.now(UTC) + LEFT_ALONE, 100)
    assert opened is not None
    with pytest.raises(ImportCrossed):
        writer._commit(opened, None)
    with pytest.raises(ProfileNotFound):
        stores.profiles.get(key)


def test_the_limit_of_profiles_holds_and_the_import_goes_on_when_it_is_raised(
    stores: Stores, storage: Storage, target_id: str, file: Path
) -> None:
    stores.subscriptions.change(target_id, SettingsChange(max_profiles=1))
    with pytest.raises(TooManyProfiles):
        restore(instance(storage), target_id, file, SECRET)
    assert len(keys_of(everything(storage, target_id), "profile:")) == 1
    stores.subscriptions.change(target_id, SettingsChange(max_profiles=3))
    assert restore(instance(storage), target_id, file, SECRET).profiles == 2


def test_expired_profiles_stay_behind(stores: Stores, subscription_id: str, storage: Storage, tmp_path: Path) -> None:
    long_ago = NOW - timedelta(days=1000)
    old = replace(new_profile(subscription_id), created_at=long_ago, last_action_at=long_ago)
    stores.profiles.create(replace(old, retention=RetentionOverride(max_idle_days=1.0)), 10)
    export(instance(storage), subscription_id, tmp_path / "a", SECRET, cost=COST)
    with (tmp_path / "a").open("rb") as archive:
        assert check(lines(archive, SECRET)).profiles == 0


def test_no_such_subscription_and_a_file_that_is_there(stores: Stores, storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(SubscriptionNotFound):
        export(instance(storage), "nobody", tmp_path / "a", SECRET, cost=COST)
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.raises(CannotStart, match="there already"):
        export(instance(storage), new_subscription(stores), tmp_path / "a", SECRET, cost=COST)
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_an_archive_of_format_1_has_no_templates_and_arrives(
    stores: Stores, storage: Storage, full: Full, target_id: str, file: Path, tmp_path: Path
) -> None:
    with (tmp_path / "1").open("wb") as first:
        archive = ArchiveWriter(first, SECRET, cost=COST)
        for record in records_of(file):
            said = json.loads(record)
            if said["type"] == "enrollment":
                del said["template"], said["frontEnd"]
            archive.write(encoded({**said, "format": 1} if said["type"] == "subscription" else said))
        archive.close()
    restore(instance(storage), target_id, tmp_path / "1", SECRET)
    found = stores.profiles.get(replace(full[1][1], subscription_id=target_id))
    assert (found.enrollments_count, stores.profiles.templates(found)) == (1, [])


@pytest.mark.parametrize(
    "records",
    [
        [b"{}"],
        [b"not json"],
        [b'{"type":"profile"}'],
        [b'{"type":"subscription","format":3,"subscriptionId":"a"}'],
        [b'{"type":"subscription","format":1,"subscriptionId":"a"}'],
        [b'{"type":"subscription","format":1,"subscriptionId":"a"}', b'{"type":"end","profiles":1}'],
    ],
)
def test_a_sealed_file_of_something_else_is_refused(records: list[bytes], tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        archive = ArchiveWriter(file, SECRET, cost=COST)
        archive.write(b"".join(one + b"\n" for one in records))
        archive.close()
    with (tmp_path / "a").open("rb") as file, pytest.raises(ArchiveRefused):
        check(lines(file, SECRET))
