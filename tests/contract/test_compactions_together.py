"""Two timers pack the same subscription: a deleted voice stays out, whoever is late and whoever dies."""

from __future__ import annotations

from contextlib import suppress

from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.stores import Storage
from tests.contract.comparing import from_the_rows
from tests.contract.cutting import Failure, ProcessDied, Scissors
from tests.contract.packing import assert_a_new_instance_is_right, opened, packed
from tests.contract.stores import NOW, PACK_PROFILES, enroll, instance


def test_two_compactions_at_once_leave_no_deleted_voice(storage: Storage) -> None:
    """One stands before any of its calls while a voice is deleted and another one packs."""
    for call in range(1, 12):
        stores = instance(storage)
        subscription_id = packed(storage, 2 * PACK_PROFILES)
        kept = stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)
        enroll(stores, kept[1].key, 90)

        def meanwhile(subscription_id: str = subscription_id, gone: ProfileKey = kept[0].key) -> None:
            other = instance(storage)
            other.profiles.delete(gone, NOW)
            other.compaction.compact(subscription_id)

        instance(storage, Scissors(interrupt_at=call, before_call=meanwhile)).compaction.compact(subscription_id)
        assert_a_new_instance_is_right(storage, subscription_id)
        stores.compaction.compact(subscription_id)
        if kept[0].key.profile_id not in from_the_rows(stores, subscription_id):
            held = bytes.fromhex(kept[0].key.profile_id.replace("-", ""))
            assert not any(held in plain for plain in opened(storage, subscription_id))
        assert_a_new_instance_is_right(storage, subscription_id)


def test_a_compaction_that_comes_late_and_dies_brings_no_deleted_voice_back(storage: Storage) -> None:
    """Before any of its calls a voice is deleted and another one packs; behind that very call it dies."""
    for call in range(1, 12):
        stores = instance(storage)
        subscription_id = packed(storage, 2 * PACK_PROFILES)
        kept = stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)
        enroll(stores, kept[1].key, 90)

        def meanwhile(gone: ProfileKey = kept[0].key) -> None:
            other = instance(storage)
            other.profiles.delete(gone, NOW)
            other.compaction.compact(gone.subscription_id)

        scissors = Scissors(at=call, failure=Failure.DIES_AFTER, interrupt_at=call, before_call=meanwhile)
        with suppress(ProcessDied):
            instance(storage, scissors).compaction.compact(subscription_id)
        if not scissors.reached:
            break
        held = bytes.fromhex(kept[0].key.profile_id.replace("-", ""))
        assert not any(held in plain for plain in opened(storage, subscription_id)), f"call {call}"
        assert_a_new_instance_is_right(storage, subscription_id)
    assert call > 5
