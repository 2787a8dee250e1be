"""Packs save time. What is wrong with one never shows in an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count

import pytest

from shared.domain.errors import StorageUnavailable
from shared.domain.profile import ProfileKind
from shared.storage.backend.ports import Remove, Row
from shared.storage.layout import VOICES, pack_row
from shared.storage.profiles.change_log import logged, news
from shared.storage.stores import Storage
from tests.contract.comparing import assert_same, from_the_rows, new_speaker, scores
from tests.contract.cutting import CuttingRows, Failure, ProcessDied, Scissors
from tests.contract.packing import assert_a_new_instance_is_right, names, opened, packed
from tests.contract.stores import NOW, PACK_PROFILES, enroll, instance, new_id, new_profile, new_subscription

FEW_KEPT = 100
"""Changes that the log keeps here. The service keeps ten times as many, which takes Azurite a minute to write."""


@pytest.fixture
def few_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.gallery.compaction.KEPT", FEW_KEPT)


def profile_reads(storage: Storage, subscription_id: str) -> int:
    """How many profiles a new instance reads from their rows to load the gallery."""
    read: list[str] = []
    noting = _Noting(storage, read)
    stores = instance(Storage(lambda name: noting if name == VOICES else storage.rows(name), storage.blobs))
    scores(stores, subscription_id)
    return len(read)


class _Noting(CuttingRows):
    """Notes each profile that is read."""

    def __init__(self, storage: Storage, read: list[str]) -> None:
        super().__init__(storage.voices, Scissors())
        self._read = read

    def get(self, partition: str, key: str) -> Row | None:
        if key.startswith("profile:"):
            self._read.append(key)
        return super().get(partition, key)

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        for row in super().query(partition, start, end, limit=limit, select=select):
            if row.key.startswith("profile:"):
                self._read.append(row.key)
            yield row


def test_a_small_subscription_has_no_packs(storage: Storage) -> None:
    assert names(storage, packed(storage, PACK_PROFILES - 1)) == []


def test_a_new_instance_loads_from_packs_alone(storage: Storage) -> None:
    subscription_id = packed(storage)
    assert len(names(storage, subscription_id)) == 4
    assert_a_new_instance_is_right(storage, subscription_id)
    assert profile_reads(storage, subscription_id) == 0


def test_what_changed_behind_the_packs_is_read_and_no_more(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = packed(storage)
    some = [one.key for one in stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)][:3]
    enroll(stores, some[0], 70)
    stores.profiles.delete(some[1], NOW)
    stores.profiles.reset(some[2], NOW)
    new_speaker(stores, subscription_id, 71)
    assert_a_new_instance_is_right(storage, subscription_id)
    assert profile_reads(storage, subscription_id) == 4


def test_a_deleted_voice_is_out_of_the_packs_with_the_next_tick(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = packed(storage)
    key = stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)[5].key
    held = bytes.fromhex(key.profile_id.replace("-", ""))
    assert any(held in plain for plain in opened(storage, subscription_id))
    stores.profiles.delete(key, NOW)
    assert stores.compaction.compact(subscription_id) == 1
    assert not any(held in plain for plain in opened(storage, subscription_id))
    assert_a_new_instance_is_right(storage, subscription_id)


def test_packs_hold_nothing_in_plain(storage: Storage) -> None:
    subscription_id = packed(storage)
    profile = instance(storage).profiles.list(subscription_id, ProfileKind.IDENTIFICATION)[0]
    _, signature = instance(storage).profiles.get_with_signature(profile.key)
    assert signature is not None
    stored = [storage.packs.get(name) or b"" for name in names(storage, subscription_id)]
    assert not any(signature.direction.tobytes() in one for one in stored)
    assert any(signature.direction.tobytes() in one for one in opened(storage, subscription_id))


def test_a_pack_that_grows_is_divided(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = packed(storage, PACK_PROFILES)
    assert len(names(storage, subscription_id)) == 1
    for seed in range(2 * PACK_PROFILES):
        new_speaker(stores, subscription_id, seed)
        stores.compaction.compact(subscription_id)
    assert len(names(storage, subscription_id)) >= 2
    assert_a_new_instance_is_right(storage, subscription_id)
    assert profile_reads(storage, subscription_id) == 0


def lost(storage: Storage, subscription_id: str) -> None:
    storage.packs.delete(names(storage, subscription_id)[1])


def torn(storage: Storage, subscription_id: str) -> None:
    name = names(storage, subscription_id)[1]
    storage.packs.put(name, (storage.packs.get(name) or b"")[:-100])


def tampered(storage: Storage, subscription_id: str) -> None:
    name = names(storage, subscription_id)[1]
    content = bytearray(storage.packs.get(name) or b"")
    content[len(content) // 2] ^= 1
    storage.packs.put(name, bytes(content))


def swapped(storage: Storage, subscription_id: str) -> None:
    first, second, *_ = names(storage, subscription_id)
    one, other = storage.packs.get(first) or b"", storage.packs.get(second) or b""
    storage.packs.put(first, other)
    storage.packs.put(second, one)


def of_another_subscription(storage: Storage, subscription_id: str) -> None:
    other = packed(storage)
    storage.packs.put(names(storage, subscription_id)[0], storage.packs.get(names(storage, other)[0]) or b"")


def without_rows(storage: Storage, subscription_id: str) -> None:
    rows = list(storage.voices.query(subscription_id, "pack:", "pack;"))
    storage.voices.apply(subscription_id, [Remove(row.key) for row in rows[1:]])


def without_the_first_row(storage: Storage, subscription_id: str) -> None:
    storage.voices.apply(subscription_id, [Remove(pack_row("0"))])


def put_back(storage: Storage, subscription_id: str) -> None:
    """All blobs as they were, after changes that the packs knew and the log has forgotten."""
    before = {name: storage.packs.get(name) or b"" for name in names(storage, subscription_id)}
    stores = instance(storage)
    for profile in stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)[::2]:
        stores.profiles.delete(profile.key, NOW)
    stores.compaction.compact(subscription_id)
    key = new_profile(subscription_id).key
    for _ in range(FEW_KEPT):
        storage.voices.apply(subscription_id, logged(storage.voices, key))
    stores.compaction.compact(subscription_id)
    for name, content in before.items():
        storage.packs.put(name, content)


@pytest.mark.parametrize(
    "damage",
    [lost, torn, tampered, swapped, of_another_subscription, without_rows, without_the_first_row, put_back],
)
@pytest.mark.usefixtures("few_kept")
def test_a_pack_that_is_no_good_costs_time_only(storage: Storage, damage: Callable[[Storage, str], None]) -> None:
    subscription_id = packed(storage)
    damage(storage, subscription_id)
    assert_a_new_instance_is_right(storage, subscription_id)


@pytest.mark.parametrize("damage", [lost, torn, tampered, swapped])
def test_the_next_tick_mends_what_an_instance_could_not_read(
    storage: Storage, damage: Callable[[Storage, str], None]
) -> None:
    subscription_id = packed(storage)
    damage(storage, subscription_id)
    scores(instance(storage), subscription_id)
    instance(storage).compaction.compact(subscription_id)
    assert profile_reads(storage, subscription_id) == 0
    assert_a_new_instance_is_right(storage, subscription_id)


@pytest.mark.usefixtures("few_kept")
def test_changes_that_nobody_needs_are_taken_away(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    awake = instance(storage)
    new_speaker(stores, subscription_id)
    scores(awake, subscription_id)
    key = new_profile(subscription_id).key
    for _ in range(FEW_KEPT + 150):
        storage.voices.apply(subscription_id, logged(storage.voices, key))
    assert stores.compaction.compact(subscription_id) == 151
    assert len(news(storage.voices, subscription_id, 0).changed) == FEW_KEPT
    assert_same(scores(awake, subscription_id), from_the_rows(awake, subscription_id))


def test_nothing_to_do_writes_nothing(storage: Storage) -> None:
    subscription_id = packed(storage)
    scissors = Scissors()
    assert instance(storage, scissors).compaction.compact(subscription_id) == 0
    assert set(scissors.calls) <= {"get", "query"}


def test_a_deleted_subscription_has_no_packs(storage: Storage) -> None:
    stores = instance(storage)
    subscription_id = packed(storage)
    deleted = stores.subscriptions.begin_deletion(subscription_id, NOW, new_id())
    while stores.eraser.sweep(deleted, NOW, 100):
        pass
    assert names(storage, subscription_id) == []


@pytest.mark.parametrize("failure", list(Failure))
def test_a_compaction_cut_anywhere_leaves_right_answers(storage: Storage, technology: str, failure: Failure) -> None:
    for cut in count(1, 1 if technology == "memory" else 4):
        stores = instance(storage)
        subscription_id = packed(storage, 2 * PACK_PROFILES)
        kept = stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)
        stores.profiles.delete(kept[0].key, NOW)
        enroll(stores, kept[-1].key, 90)
        scissors = Scissors(at=cut, failure=failure)
        with suppress(ProcessDied, StorageUnavailable):
            instance(storage, scissors).compaction.compact(subscription_id)
        assert_a_new_instance_is_right(storage, subscription_id)
        instance(storage).compaction.compact(subscription_id)
        held = bytes.fromhex(kept[0].key.profile_id.replace("-", ""))
        assert not any(held in plain for plain in opened(storage, subscription_id))
        assert_a_new_instance_is_right(storage, subscription_id)
        if not scissors.reached:
            break
    assert cut > 5


def test_a_gallery_that_loads_while_packs_are_divided_is_whole(storage: Storage) -> None:
    for call in range(1, 8):
        stores = instance(storage)
        subscription_id = packed(storage, PACK_PROFILES)
        for seed in range(PACK_PROFILES + 2):
            new_speaker(stores, subscription_id, 30 + seed)

        def meanwhile(subscription_id: str = subscription_id) -> None:
            instance(storage).compaction.compact(subscription_id)

        loading = instance(storage, Scissors(interrupt_at=call, before_call=meanwhile))
        assert_same(scores(loading, subscription_id), from_the_rows(stores, subscription_id))
