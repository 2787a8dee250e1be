"""Who asks: the key or token in a request's headers and what it opens; the address that the request came from, as far
as it can be known. An address stays in memory, and for a minute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from shared.bootstrap import Services
from shared.domain.audit import Actor, Caller, via_key
from shared.domain.errors import SubscriptionUnknown
from shared.domain.token import PREFIX
from shared.http.origins import KEY_HEADER
from shared.services.wrong_keys import may_be_a_key

UNKNOWN: Final = ""
"""In place of an address: all such callers count as one."""

_WITH_PORT: Final = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
_PREFIX: Final = 64
"""Bits of an IPv6 address that one household gets; the rest it chooses itself."""
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


def caller_address(forwarded_for: str | None, trusted_hops: int) -> str:
    """The entry of ``X-Forwarded-For`` that ``trusted_hops`` proxies ago was written; IPv6 as its network.

    Each proxy appends whom it was asked by, so only entries from the right are not the caller's own invention. Azure's
    front end writes address and port (``192.0.2.1:49828``), the Functions host the bare address of the front end's
    entry alone.
    """
    entries = (forwarded_for or "").split(",")
    entry = entries[-trusted_hops].strip() if trusted_hops <= len(entries) else ""
    match = _WITH_PORT.fullmatch(entry)
    try:
        address = ip_address((match["v6"] or match["v4"]) if match else entry)
    except ValueError:
        return UNKNOWN
    return _counted_as(address)


def _counted_as(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((int(address), _PREFIX), strict=False))
