"""Stored ciphertexts open only where they were put, under their own subscription's key."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from shared.domain.errors import SealBroken, SubscriptionUnknown
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.ports import Merge, Row, Value
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row, profile_row
from shared.storage.sealing.envelope import Place, Secret
from shared.storage.stores import Storage, Stores
from tests.contract.stores import NOW, enroll, instance, new_id, new_profile, new_subscription

KIND = ProfileKind.TEXT_DEPENDENT_VERIFICATION


def two_voices(storage: Storage, *, same_subscription: bool) -> tuple[Stores, ProfileKey, ProfileKey]:
    stores = instance(storage)
    first = new_subscription(stores)
    second = first if same_subscription else new_subscription(stores)
    one, two = (stores.profiles.create(new_profile(owner, KIND), 10).key for owner in (first, second))
    enroll(stores, one, seed=1, phrase="one")
    enroll(stores, two, seed=2, phrase="two")
    return stores, one, two


def stored(storage: Storage, key: ProfileKey) -> Row:
    row = storage.voices.get(key.subscription_id, profile_row(key))
    assert row is not None
    return row


def overwrite(storage: Storage, key: ProfileKey, values: dict[str, Value]) -> None:
    storage.voices.apply(key.subscription_id, [Merge(profile_row(key), values)])


def flipped(sealed: Value, at: int) -> bytes:
    assert isinstance(sealed, bytes)
    position = at % len(sealed)
    return sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]


@pytest.mark.parametrize("column", ["signature", "passphrase"])
@pytest.mark.parametrize("same_subscription", [True, False])
def test_two_swapped_rows_open_neither(storage: Storage, column: str, same_subscription: bool) -> None:
    stores, one, two = two_voices(storage, same_subscription=same_subscription)
    first, second = stored(storage, one).values[column], stored(storage, two).values[column]
    overwrite(storage, one, {column: second})
    overwrite(storage, two, {column: first})
    for key in (one, two):
        with pytest.raises(SealBroken):
            stores.profiles.get_with_signature(key)
    overwrite(storage, one, {column: first})
    stores.profiles.get_with_signature(one)
    with pytest.raises(SealBroken):
        stores.profiles.get_many_with_signatures([one, two])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("signature", at) for at in (0, 1, 12, 13, 40, -17, -1)),
        *(("signature", sealed) for sealed in (b"", b"\x01", b"\x01" + bytes(27), b"\x02" + bytes(60))),
        ("epoch", 1),
        ("model_id", "another-model"),
    ],
)
def test_a_changed_bit_anywhere_breaks_the_seal_and_raises_an_alarm(
    storage: Storage, column: str, value: Value, caplog: pytest.LogCaptureFixture
) -> None:
    """A number is the bit's place. A signature belongs to its epoch and model too."""
    stores, one, _ = two_voices(storage, same_subscription=True)
    is_place = column == "signature" and isinstance(value, int)
    sealed = flipped(stored(storage, one).values["signature"], int(str(value))) if is_place else value
    overwrite(storage, one, {column: sealed})
    with caplog.at_level(logging.ERROR), pytest.raises(SealBroken):
        stores.profiles.get_with_signature(one)
    where = f"subscription={one.subscription_id} kind=tdv profile={one.profile_id}"
    expected = "passphrase epoch=1" if column == "epoch" else "signature epoch=0"  # what is opened first
    assert caplog.messages == [f"seal_broken {where} what={expected}"]


def test_a_signature_of_before_a_reset_does_not_open_after_it(storage: Storage) -> None:
    stores, one, _ = two_voices(storage, same_subscription=True)
    old = stored(storage, one).values
    stores.profiles.reset(one, NOW)
    overwrite(storage, one, {"signature": old["signature"], "model_id": old["model_id"]})
    with pytest.raises(SealBroken):
        stores.profiles.get_with_signature(one)


def test_swapped_data_keys_are_noticed_before_anything_is_sealed_with_them(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    _, one, two = two_voices(storage, same_subscription=False)
    rows = [storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, data_key_row(key.subscription_id)) for key in (one, two)]
    first, second = rows
    assert first is not None
    assert second is not None
    storage.subscriptions.apply(
        SUBSCRIPTIONS_PARTITION, [Merge(first.key, second.values), Merge(second.key, first.values)]
    )
    restarted = instance(storage)
    with pytest.raises(SealBroken):
        restarted.profiles.get_with_signature(one)
    with pytest.raises(SealBroken):
        restarted.envelope.seal(Place(one, Secret.SIGNATURE, 0, "m"), b"x")
    assert caplog.messages == [f"seal_broken subscription={one.subscription_id} what=data_key"] * 2


def test_without_its_data_key_a_subscription_is_gone(storage: Storage) -> None:
    stores, one, two = two_voices(storage, same_subscription=False)
    storage.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [stores.data_keys.destruction(one.subscription_id)])
    stores.data_keys.forget(one.subscription_id)
    uses: list[Callable[[], object]] = [
        lambda: stores.profiles.get_with_signature(one),
        lambda: stores.profiles.get_many_with_signatures([one]),
        lambda: stores.data_keys.rewrap(one.subscription_id),
        lambda: stores.envelope.seal(Place(one, Secret.AUDIO, 0, "m"), b"x"),
    ]
    for use in uses:
        with pytest.raises(SubscriptionUnknown):
            use()
    stores.profiles.get_with_signature(two)


def test_the_kept_audio_opens_only_as_the_enrollment_that_it_is(stores: Stores, storage: Storage) -> None:
    key = stores.profiles.create(new_profile(new_subscription(stores)), 10).key
    enroll(stores, key, audio=b"fLaC the audio")
    (row,) = storage.voices.query(key.subscription_id, "enrollment:", "enrollment;")
    blob, enrollment_id = str(row.values["blob"]), str(row.values["enrollment_id"])
    sealed = storage.audio.get(blob)
    assert sealed is not None
    place = Place(key, Secret.AUDIO, 0, "model-1", enrollment_id)
    assert stores.envelope.open(place, sealed) == b"fLaC the audio"
    for wrong in (
        Place(key, Secret.AUDIO, 0, "model-1", new_id()),
        Place(key, Secret.EMBEDDING, 0, "model-1", enrollment_id),
    ):
        with pytest.raises(SealBroken):
            stores.envelope.open(wrong, sealed)
