"""Subscriptions whose speakers are packed, and what the packs hold."""

from __future__ import annotations

from shared.storage.gallery.packs import place_of
from shared.storage.stores import Storage
from tests.contract.comparing import assert_same, from_the_rows, new_speaker, scores
from tests.contract.stores import PACK_PROFILES, instance, new_subscription

SPEAKERS = 3 * PACK_PROFILES + 1


def packed(storage: Storage, speakers: int = SPEAKERS) -> str:
    """A subscription whose speakers are all packed."""
    stores = instance(storage)
    subscription_id = new_subscription(stores)
    for seed in range(speakers):
        new_speaker(stores, subscription_id, seed)
    stores.compaction.compact(subscription_id)
    return subscription_id


def names(storage: Storage, subscription_id: str) -> list[str]:
    return list(storage.packs.names(f"{subscription_id}/"))


def assert_a_new_instance_is_right(storage: Storage, subscription_id: str) -> None:
    stores = instance(storage)
    assert_same(scores(stores, subscription_id), from_the_rows(stores, subscription_id))


def opened(storage: Storage, subscription_id: str) -> list[bytes]:
    """The packs in plain."""
    envelope = instance(storage).envelope
    found = []
    for name in names(storage, subscription_id):
        sealed = storage.packs.get(name)
        assert sealed is not None
        found.append(envelope.open(place_of(subscription_id, name.partition("/")[2]), sealed))
    return found
