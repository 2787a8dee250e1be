"""Data keys: how long they stay in memory, and how the key above them is rotated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.errors import SealBroken, SubscriptionUnknown
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.memory import MemoryRows
from shared.storage.backend.ports import Rows
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row
from shared.storage.sealing.data_keys import CACHE_SECONDS, DataKeys
from shared.storage.sealing.envelope import NONCE_BYTES, TAG_BYTES, Envelope, Place, Secret
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from tests.contract.cutting import CuttingRows, Scissors
from tests.unit.services.test_rate import Time

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PLACE = Place(ProfileKey("s", ProfileKind.IDENTIFICATION, "p"), Secret.SIGNATURE, 0, "m")


def with_key(rows: Rows, subscription_id: str) -> None:
    rows.apply(SUBSCRIPTIONS_PARTITION, [DataKeys(rows, LocalKeyEncryption(OLD)).creation(subscription_id)])


def test_an_unwrapped_key_is_read_again_after_its_time() -> None:
    rows, scissors, clock = MemoryRows(), Scissors(), Time()
    with_key(rows, "s")
    keys = DataKeys(CuttingRows(rows, scissors), LocalKeyEncryption(OLD), monotonic=clock)
    first = keys.of("s")
    clock.seconds += CACHE_SECONDS - 0.01
    assert keys.of("s") == first
    assert scissors.calls == ["get"]
    clock.seconds += 0.01
    assert keys.of("s") == first
    assert scissors.calls == ["get", "get"]


def test_a_destroyed_key_is_gone_at_once_here_and_soon_elsewhere() -> None:
    rows, clock = MemoryRows(), Time()
    with_key(rows, "s")
    here, elsewhere = (DataKeys(rows, LocalKeyEncryption(OLD), monotonic=clock) for _ in range(2))
    here.of("s")
    elsewhere.of("s")
    rows.apply(SUBSCRIPTIONS_PARTITION, [here.destruction("s")])
    here.forget("s")
    with pytest.raises(SubscriptionUnknown):
        here.of("s")
    clock.seconds += CACHE_SECONDS
    with pytest.raises(SubscriptionUnknown):
        elsewhere.of("s")


def test_rotation_rewraps_the_same_key_and_what_was_sealed_still_opens() -> None:
    rows = MemoryRows()
    with_key(rows, "s")
    before = DataKeys(rows, LocalKeyEncryption(OLD))
    sealed = Envelope(before).seal(PLACE, b"a voice")
    rotating = DataKeys(rows, LocalKeyEncryption(NEW, [OLD]))
    assert rotating.rewrap("s") is True
    assert rotating.rewrap("s") is False
    after = DataKeys(rows, LocalKeyEncryption(NEW))
    assert after.of("s") == before.of("s")
    assert Envelope(after).open(PLACE, sealed) == b"a voice"
    with pytest.raises(SealBroken):
        DataKeys(rows, LocalKeyEncryption(OLD)).of("s")


def test_a_rotation_that_meets_a_destruction_does_not_bring_the_key_back() -> None:
    rows = MemoryRows()
    with_key(rows, "s")
    destroy = DataKeys(rows, LocalKeyEncryption(OLD)).destruction("s")
    scissors = Scissors(interrupt_at=2, before_call=lambda: rows.apply(SUBSCRIPTIONS_PARTITION, [destroy]))
    with pytest.raises(SubscriptionUnknown):
        DataKeys(CuttingRows(rows, scissors), LocalKeyEncryption(NEW, [OLD])).rewrap("s")
    assert rows.get(SUBSCRIPTIONS_PARTITION, data_key_row("s")) is None


def test_two_rotations_at_once_leave_a_key_that_opens() -> None:
    rows = MemoryRows()
    with_key(rows, "s")
    key = DataKeys(rows, LocalKeyEncryption(OLD)).of("s")

    def other() -> None:
        DataKeys(rows, LocalKeyEncryption(NEW, [OLD])).rewrap("s")

    scissors = Scissors(interrupt_at=2, before_call=other)
    assert DataKeys(CuttingRows(rows, scissors), LocalKeyEncryption(NEW, [OLD])).rewrap("s") is False
    assert DataKeys(rows, LocalKeyEncryption(NEW)).of("s") == key


def test_a_sealed_text_has_a_version_a_new_nonce_and_a_tag() -> None:
    rows = MemoryRows()
    with_key(rows, "s")
    envelope = Envelope(DataKeys(rows, LocalKeyEncryption(OLD)))
    one, two = envelope.seal(PLACE, b"a voice"), envelope.seal(PLACE, b"a voice")
    assert len(one) == 1 + NONCE_BYTES + len(b"a voice") + TAG_BYTES
    assert one[:1] == two[:1] == b"\x01"
    assert one[1 : 1 + NONCE_BYTES] != two[1 : 1 + NONCE_BYTES]
    assert envelope.open(PLACE, one) == envelope.open(PLACE, two) == b"a voice"


def test_no_two_places_read_alike() -> None:
    """Each part counts, also where two run together."""
    key = PLACE.key
    others = [replace(key, subscription_id="x"), replace(key, profile_id="x")]
    others.append(replace(key, kind=ProfileKind.TEXT_DEPENDENT_VERIFICATION))
    places = [
        PLACE,
        replace(PLACE, secret=Secret.AUDIO),
        replace(PLACE, item="x"),
        *(replace(PLACE, epoch=epoch, model_id=model) for epoch, model in ((1, "m"), (1, "1m"), (11, "m"))),
        *(replace(PLACE, key=other) for other in others),
    ]
    assert len({place.associated_data() for place in places}) == len(places)
