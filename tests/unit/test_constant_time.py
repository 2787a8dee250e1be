"""Whatever is secret is compared in constant time: how long it takes tells nobody how much of a guess is right."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pytest

from shared.domain.access import AccessKey, Role
from shared.domain.subscription import KeySlot, Subscription
from shared.domain.token import SignedToken
from shared.services.wrong_keys import may_be_a_key
from shared.storage.key_index import digest
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row
from shared.storage.stores import Storage
from tests.contract.stores import instance
from tests.unit.domain.test_token import KEY, TOKEN

KEYS = {KeySlot.PRIMARY: "first key", KeySlot.SECONDARY: "second key"}
KIOSK = AccessKey("kiosk", Role.RECOGNISE)


def opened_by(key: str) -> list[object]:
    """Every key of the subscription is compared, whichever fits."""
    subscriptions = instance(Storage.in_memory()).subscriptions
    subscriptions.create(Subscription("mine"), KEYS)
    subscriptions.put_key("mine", KIOSK, "kiosk's key", 1)
    subscriptions.opened_by(key)[0]
    return [digest(one) for one in (*KEYS.values(), "kiosk's key")]


def opened_by_a_token() -> list[object]:
    subscriptions = instance(Storage.in_memory()).subscriptions
    subscriptions.create(Subscription(TOKEN.subscription_id), {KeySlot(TOKEN.key_name): "a key"})
    subscriptions.issuer_of(TOKEN)
    return [TOKEN.fingerprint]


def signed() -> list[object]:
    signed = SignedToken.parse(TOKEN.signed(KEY))
    signed.require_signature(KEY)
    return [signed.signature]


def local_key() -> list[object]:
    assert may_be_a_key("a local key", "a local key")
    return [b"a local key"]


def data_key() -> list[object]:
    storage = Storage.in_memory()
    stores = instance(storage)
    stores.subscriptions.ensure("mine", {})
    stores.data_keys.forget("mine")
    stores.data_keys.of("mine")
    row = storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, data_key_row("mine"))
    assert row is not None
    return [row.get("belongs", bytes)]


@pytest.mark.parametrize(
    "compares",
    [
        lambda: opened_by("first key"),
        lambda: opened_by("second key"),
        lambda: opened_by("kiosk's key"),
        opened_by_a_token,
        signed,
        local_key,
        data_key,
    ],
    ids=["primary key", "secondary key", "named key", "token's key", "token", "local key", "data key"],
)
def test_a_secret_is_compared_in_constant_time(
    compares: Callable[[], list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []
    in_constant_time = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return in_constant_time(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    secrets = compares()
    assert compared == secrets
