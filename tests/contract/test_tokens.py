"""Spent tokens, and whose key issued a token, on every technology."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.access import Role
from shared.domain.errors import SubscriptionUnknown
from shared.domain.subscription import KeySlot, SettingsChange
from shared.domain.token import Scope, Token, TokenOperation, fingerprint
from shared.storage.profiles.tokens import KEPT
from shared.storage.stores import Storage, Stores
from shared.storage.subscriptions import LOOK_UP_SECONDS
from tests.contract.cutting import Scissors
from tests.contract.opening import created, cut_store
from tests.contract.stores import NOW, at_once, everything, instance, keys_of, new_id

ENDS = NOW.replace(microsecond=0) + timedelta(minutes=10)


def token_of(subscription_id: str, key: str = "first key", name: str = "primary") -> Token:
    scope = Scope((TokenOperation.READ,))
    return Token(new_id(), subscription_id, name, fingerprint(key), scope, NOW, ENDS, once=True)


def spent(storage: Storage, token: Token) -> int:
    return len(keys_of(everything(storage, token.subscription_id), "due:"))


def test_a_token_is_spent_once_and_by_one_request(storage: Storage) -> None:
    token, store = token_of(new_id()), instance(storage).spent_tokens
    store.add(token, "a request")
    store.add(token, "a request")  # this very write, come twice
    for elsewhere in (store, instance(storage).spent_tokens):
        with pytest.raises(SubscriptionUnknown):
            elsewhere.add(token, "another request")
    store.add(replace(token, token_id=new_id()), "another request")


def test_of_many_at_once_one_gets_in(storage: Storage) -> None:
    token = token_of(new_id())
    spending = at_once(8, lambda number: instance(storage).spent_tokens.add(token, str(number)), SubscriptionUnknown)
    assert [{"request_id": str(one)} for one in spending] == list(everything(storage, token.subscription_id).values())


def test_what_was_taken_back_can_be_spent(storage: Storage) -> None:
    token, store = token_of(new_id()), instance(storage).spent_tokens
    store.add(token, "a request")
    for _ in range(2):
        store.take_back(token)
    assert spent(storage, token) == 0
    store.add(token, "another request")


def test_the_timer_takes_it_away_when_the_token_is_over_for_every_clock(stores: Stores, storage: Storage) -> None:
    token = token_of(new_id())
    stores.spent_tokens.add(token, "a request")
    assert stores.upkeep.sweep(token.subscription_id, ENDS + KEPT - timedelta(seconds=1), 10) == 0
    assert spent(storage, token) == 1
    assert stores.upkeep.sweep(token.subscription_id, ENDS + KEPT, 10) == 1
    assert spent(storage, token) == 0


def test_the_key_that_issued_a_token_opens_its_subscription(storage: Storage) -> None:
    store, subscription_id = created(storage)
    subscription, key = store.issuer_of(token_of(subscription_id))
    assert (subscription.subscription_id, key.name, key.role) == (subscription_id, "primary", Role.MANAGE)
    store.change(subscription_id, SettingsChange(lock_settings=True))
    assert store.issuer_of(token_of(subscription_id, "second key", "secondary"))[1].role is Role.ENROLL
    for token in (
        token_of(subscription_id, "second key"),
        token_of(subscription_id, name="nobody"),
        token_of(new_id()),
        replace(token_of(subscription_id), fingerprint=""),
    ):
        with pytest.raises(SubscriptionUnknown):
            store.issuer_of(token)
        assert not store.has_issued(token)


def test_another_instance_knows_a_replaced_or_deleted_issuer_for_as_long_as_a_key(storage: Storage) -> None:
    now, scissors = [1000.0], Scissors()
    elsewhere = cut_store(storage, scissors, lambda: now[0])
    store, subscription_id = created(storage)
    first, second = token_of(subscription_id), token_of(subscription_id, "second key", "secondary")
    for token in (first, second):
        elsewhere.issuer_of(token)
    scissors.calls.clear()
    store.replace_key(subscription_id, KeySlot.PRIMARY, "new key")
    now[0] += LOOK_UP_SECONDS - 0.01
    elsewhere.issuer_of(first)
    assert (scissors.calls, elsewhere.has_issued(first)) == ([], True)
    now[0] += 0.01
    with pytest.raises(SubscriptionUnknown):
        elsewhere.issuer_of(first)
    assert not elsewhere.has_issued(first)
    elsewhere.issuer_of(second)
    store.begin_deletion(subscription_id, NOW, "request")
    now[0] += LOOK_UP_SECONDS
    with pytest.raises(SubscriptionUnknown):
        elsewhere.issuer_of(second)
