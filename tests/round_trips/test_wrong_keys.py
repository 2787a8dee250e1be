"""What keys cost: one that opens nothing less than one that does, and soon nothing."""

from __future__ import annotations

import secrets
from dataclasses import replace

from shared.domain.limits import WRONG_KEYS_PER_MINUTE
from shared.domain.token import PREFIX, SignedToken
from shared.storage.subscriptions import RowSubscriptionStore
from tests.round_trips.app import App, app
from tests.round_trips.customers import customer, expected

LIST = "/speaker-recognition/identification/text-independent/profiles"


def cost(running: App, key: str, status: int, address: str = "192.0.2.1") -> int:
    """Calls to storage."""
    running.calls.clear()
    expected(running.call("GET", LIST, key=key, address=address), status)
    return len(running.calls)


def wrong_key() -> str:
    return secrets.token_hex(32)


def forget_look_ups(running: App) -> None:
    """As 30 seconds do."""
    assert isinstance(running.services.subscriptions, RowSubscriptionStore)
    running.services.subscriptions.forget()


def test_an_unknown_key_costs_one_read_a_known_one_two_and_what_is_none_costs_nothing() -> None:
    """The index, and behind it the subscription's row."""
    running = app()
    who = customer(running)
    listed = cost(running, who.key, 200)  # the look-up is remembered
    forget_look_ups(running)
    assert (cost(running, wrong_key(), 401), cost(running, who.key, 200) - listed) == (1, 2)
    for malformed in ("wrong", who.key.upper() + "G", who.key[:-1], who.key + " 1"):
        assert cost(running, malformed, 401) == 0


def test_many_wrong_keys_are_not_looked_up_and_lock_no_known_key_out() -> None:
    running = app()
    who, silent = customer(running), customer(running)
    silent_key = running.call("POST", f"/manage/subscriptions/{silent.subscription_id}/keys/secondary/regenerate")
    for _ in range(WRONG_KEYS_PER_MINUTE):
        assert cost(running, wrong_key(), 401) == 1
    assert cost(running, wrong_key(), 429) == 0
    refused = running.call("GET", LIST, key=silent_key.json["key"])
    assert (refused.status, refused.json["error"]["code"]) == (429, "RateLimit")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    forget_look_ups(running)
    assert cost(running, who.key, 200) > 0
    assert cost(running, silent_key.json["key"], 200, address="[2001:db8::1]:80") > 0
    assert cost(running, silent_key.json["key"], 200) > 0, "from now on it is known"


def test_a_key_that_was_replaced_is_no_longer_known() -> None:
    running = app()
    who = customer(running)
    expected(running.call("POST", f"/manage/subscriptions/{who.subscription_id}/keys/primary/regenerate"), 200)
    for _ in range(WRONG_KEYS_PER_MINUTE):
        assert cost(running, who.key, 401) > 0
    assert cost(running, who.key, 429) == 0


def test_a_forged_token_is_a_wrong_key_and_locks_no_token_of_its_key_out() -> None:
    running = app()
    who = customer(running)
    asked = running.call("POST", "/tokens", b'{"operations": ["read"]}', who.key)
    text = expected(asked, 201).json["token"]
    signed = SignedToken.parse(text)
    listed = cost(running, who.key, 200)
    assert cost(running, text, 200) - listed <= 1, "its issuer"
    of_nobody = [replace(signed.token, subscription_id=f"nobody-{number}") for number in range(WRONG_KEYS_PER_MINUTE)]
    assert [cost(running, token.signed(bytes(32)), 401) for token in of_nobody] == [1] * WRONG_KEYS_PER_MINUTE
    assert cost(running, of_nobody[0].signed(bytes(32)), 429) == 0
    assert cost(running, signed.token.signed(bytes(32)), 401) == 0, "its issuer is in memory"
    assert cost(running, text, 200) == listed
    for malformed in (f"{PREFIX}x.y", replace(signed.token, expires_at=signed.token.issued_at).signed(bytes(32))):
        assert cost(running, malformed, 401) == 0
