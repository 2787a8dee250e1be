"""A pack saves time. What is wrong with it never shows in an answer, and no deleted voice stays in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from shared.domain.errors import StorageUnavailable
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.ports import Insert, Remove
from shared.storage.layout import PACK, pack_blob
from shared.storage.profiles.change_log import logged, news
from shared.storage.stores import Storage, Stores
from tests.contract.comparing import assert_same, from_the_rows, new_speaker, packs_of, scores
from tests.contract.cutting import Failure, ProcessDied, Scissors, cuts
from tests.contract.stores import NOW, PACK_FROM, enroll, instance, new_id, new_profile, new_subscription

FEW_KEPT = 100
"""Changes that the log keeps here. The service keeps ten times as many, which takes Azurite a minute to write."""

Damage = Callable[[Storage, str], None]


@pytest.fixture
def few_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.gallery.compaction.KEPT", FEW_KEPT)


def packed(storage: Storage, speakers: int = PACK_FROM) -> str:
    """A subscription whose speakers are all packed."""
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    for seed in range(speakers):
        new_speaker(stores, subscription_id, seed)
    stores.compaction.compact(subscription_id)
    return subscription_id


def keys_of(stores: Stores, subscription_id: str) -> list[ProfileKey]:
    return [profile.key for profile in stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)]


def names(storage: Storage, subscription_id: str) -> list[str]:
    return list(storage.packs.names(f"{subscription_id}/"))


def only_blob(storage: Storage, subscription_id: str) -> tuple[str, bytes]:
    (name,) = names(storage, subscription_id)
    return name, storage.packs.get(name) or b""


def load_calls(storage: Storage, subscription_id: str) -> list[str]:
    """Storage calls of a new instance that loads the gallery, which must be right."""
    scissors = Scissors()
    found = scores(instance(storage, scissors), subscription_id)
    assert_same(found, from_the_rows(instance(storage), subscription_id))
    return scissors.calls


FROM_THE_PACK = ["get", "read", "query"]
FROM_THE_ROWS = ["get", "get", "query"]


def test_a_small_subscription_has_no_pack(storage: Storage) -> None:
    subscription_id = packed(storage, PACK_FROM - 1)
    assert names(storage, subscription_id) == []
    assert load_calls(storage, subscription_id) == FROM_THE_ROWS


def test_a_new_instance_loads_the_pack_and_what_has_changed_since(stores: Stores, storage: Storage) -> None:
    subscription_id = packed(storage)
    assert load_calls(storage, subscription_id) == FROM_THE_PACK
    enrolled, deleted, reset, _ = keys_of(stores, subscription_id)
    enroll(stores, enrolled, 70)
    stores.profiles.delete(deleted, NOW)
    stores.profiles.reset(reset, NOW)
    new_speaker(stores, subscription_id, 71)
    assert load_calls(storage, subscription_id) == [*FROM_THE_PACK, *4 * ["get"]]


def test_a_deleted_voice_is_out_of_the_pack_with_the_next_tick(stores: Stores, storage: Storage) -> None:
    subscription_id = packed(storage)
    keys = keys_of(stores, subscription_id)
    stores.profiles.delete(keys[0], NOW)
    assert stores.compaction.compact(subscription_id) == 1
    assert packs_of(stores, subscription_id) == [{key.profile_id for key in keys[1:]}]
    assert load_calls(storage, subscription_id) == FROM_THE_PACK


def test_a_pack_holds_nothing_in_plain(storage: Storage) -> None:
    subscription_id = packed(storage)
    key = keys_of(instance(storage), subscription_id)[0]
    _, signature = instance(storage).profiles.get_with_signature(key)
    assert signature is not None
    _, content = only_blob(storage, subscription_id)
    assert signature.direction.tobytes() not in content
    assert key.profile_id.encode() not in content


def missing(storage: Storage, subscription_id: str) -> None:
    storage.packs.delete(only_blob(storage, subscription_id)[0])


def torn(storage: Storage, subscription_id: str) -> None:
    name, content = only_blob(storage, subscription_id)
    storage.packs.put(name, content[:-100])


def altered(storage: Storage, subscription_id: str) -> None:
    name, content = only_blob(storage, subscription_id)
    middle = len(content) // 2
    storage.packs.put(name, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def of_another_subscription(storage: Storage, subscription_id: str) -> None:
    _, other = only_blob(storage, packed(storage))
    storage.packs.put(only_blob(storage, subscription_id)[0], other)


def of_another_version(storage: Storage, subscription_id: str) -> None:
    name, content = only_blob(storage, subscription_id)
    envelope, blob = instance(storage).envelope, name.partition("/")[2]
    from shared.storage.gallery.packs import _place

    plain = envelope.open(_place(subscription_id, blob), content)
    storage.packs.put(name, envelope.seal(_place(subscription_id, blob), plain[:128] + b"\x09" + plain[129:]))


def put_back(storage: Storage, subscription_id: str) -> None:
    """The blob as it was, under its present name, after changes that the log has forgotten."""
    stores = instance(storage)
    name, before = only_blob(storage, subscription_id)
    stores.profiles.delete(keys_of(stores, subscription_id)[0], NOW)
    for _ in range(FEW_KEPT):
        storage.voices.apply(subscription_id, logged(storage.voices, new_profile(subscription_id).key))
    stores.compaction.compact(subscription_id)
    storage.packs.put(name, before)
    row = storage.voices.get(subscription_id, PACK)
    assert row is not None
    values = {**row.values, "blob": name.partition("/")[2]}
    storage.voices.apply(subscription_id, [Remove(PACK)])
    storage.voices.apply(subscription_id, [Insert(PACK, values)])


@pytest.mark.parametrize("damage", [missing, torn, altered, of_another_subscription, of_another_version, put_back])
@pytest.mark.usefixtures("few_kept")
def test_a_bad_pack_costs_time_only_and_is_written_anew_by_the_next_tick(storage: Storage, damage: Damage) -> None:
    subscription_id = packed(storage)
    damage(storage, subscription_id)
    assert load_calls(storage, subscription_id)[-1:] == ["query"]
    assert instance(storage).compaction.compact(subscription_id) == 1
    assert load_calls(storage, subscription_id) == FROM_THE_PACK


@pytest.mark.usefixtures("few_kept")
def test_changes_that_nobody_needs_are_trimmed(storage: Storage) -> None:
    stores, awake = instance(storage), instance(storage)
    subscription_id = new_subscription(stores)
    new_speaker(stores, subscription_id)
    scores(awake, subscription_id)
    for _ in range(FEW_KEPT + 150):
        storage.voices.apply(subscription_id, logged(storage.voices, new_profile(subscription_id).key))
    assert stores.compaction.compact(subscription_id) == 151
    assert len(news(storage.voices, subscription_id, 0).changed) == FEW_KEPT
    assert_same(scores(awake, subscription_id), from_the_rows(awake, subscription_id))


def test_nothing_to_do_writes_nothing(storage: Storage) -> None:
    subscription_id = packed(storage)
    scissors = Scissors()
    assert instance(storage, scissors).compaction.compact(subscription_id) == 0
    assert set(scissors.calls) == {"get", "query", "names"}


def test_a_deleted_subscription_has_no_pack(stores: Stores, storage: Storage) -> None:
    subscription_id = packed(storage)
    deleted = stores.subscriptions.begin_deletion(subscription_id, NOW, new_id())
    while stores.eraser.sweep(deleted, NOW, 100):
        pass
    assert names(storage, subscription_id) == []


def test_packs_of_earlier_versions_go_with_their_rows(stores: Stores, subscription_id: str, storage: Storage) -> None:
    for first in ("0", new_id()):
        storage.voices.apply(subscription_id, [Insert(f"pack:{first}", {"mark": "", "upto": 0})])
        storage.packs.put(pack_blob(subscription_id, first), b"sealed")
    for _ in range(2):
        stores.compaction.compact(subscription_id)
    assert names(storage, subscription_id) == []
    assert list(storage.voices.query(subscription_id, "pack:", "pack;")) == []


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.name.lower())
@pytest.mark.parametrize("late", [False, True], ids=["alone", "overtaken"])
def test_a_compaction_cut_anywhere_leaves_right_answers(
    storage: Storage, technology: str, long_form: bool, failure: Failure, late: bool
) -> None:
    """``overtaken``: right before the cut a voice is deleted and another instance packs."""
    for scissors in cuts(failure, step=1 if technology == "memory" else 4 if long_form else 8, least=5):
        stores = instance(storage)
        subscription_id = packed(storage)
        gone, *_, changed = keys_of(stores, subscription_id)
        enroll(stores, changed, 90)

        def overtake(gone: ProfileKey = gone) -> None:
            instance(storage).profiles.delete(gone, NOW)
            instance(storage).compaction.compact(gone.subscription_id)

        if not late:
            stores.profiles.delete(gone, NOW)
        scissors.interrupt_at, scissors.before_call = scissors.at if late else 0, overtake
        with suppress(ProcessDied, StorageUnavailable):
            instance(storage, scissors).compaction.compact(subscription_id)
        if late and not scissors.reached:
            continue
        load_calls(storage, subscription_id)
        instance(storage).compaction.compact(subscription_id)
        (packed_now,) = packs_of(stores, subscription_id)
        assert gone.profile_id not in packed_now
        load_calls(storage, subscription_id)


def test_a_gallery_that_loads_while_a_pack_is_written_is_whole(storage: Storage) -> None:
    for call in range(1, 8):
        stores = instance(storage)
        subscription_id = packed(storage)
        for seed in range(3):
            new_speaker(stores, subscription_id, 30 + seed)

        def meanwhile(subscription_id: str = subscription_id) -> None:
            instance(storage).compaction.compact(subscription_id)

        loading = instance(storage, Scissors(interrupt_at=call, before_call=meanwhile))
        assert_same(scores(loading, subscription_id), from_the_rows(stores, subscription_id))
