"""Who asks: the key or token in a request's headers, and what it opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.bootstrap import Services
from shared.domain.audit import Actor, Caller, via_key
from shared.domain.errors import SubscriptionUnknown
from shared.domain.token import PREFIX
from shared.http.addresses import caller_address
from shared.http.origins import KEY_HEADER
from shared.services.wrong_keys import may_be_a_key

_BEARER: Final = "bearer "


def caller_of(headers: Mapping[str, str], ready: Services, request_id: str) -> Caller:
    """``headers`` have lower-case names. What cannot be a key, and a token that is over, costs no call to storage.

    Raises ``SubscriptionUnknown``, ``TooManyWrongKeys``.
    """
    received, address = _received(headers), caller_address(headers.get("x-forwarded-for"), ready.config.trusted_hops)
    if received.startswith(PREFIX):
        signed = ready.tokens.read(received)
        with ready.wrong_keys.counted(address, ready.subscriptions.has_issued(signed.token)):
            subscription, key = ready.tokens.opened_by(signed)
        return Caller(subscription, Actor(via_key(key.name), request_id), key, signed.token)
    if not may_be_a_key(received, ready.config.local_subscription_key):
        raise SubscriptionUnknown
    with ready.wrong_keys.counted(address, ready.subscriptions.has_opened(received)):
        subscription, key = ready.subscriptions.opened_by(received)
    return Caller(subscription, Actor(via_key(key.name), request_id), key)


def _received(headers: Mapping[str, str]) -> str:
    """The key or token; ``Authorization`` is for tokens only."""
    if key := headers.get(KEY_HEADER.lower()):
        return key
    bearer = headers.get("authorization", "")
    token = bearer[len(_BEARER) :].strip() if bearer[: len(_BEARER)].lower() == _BEARER else ""
    return token if token.startswith(PREFIX) else ""
