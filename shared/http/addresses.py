"""The address that a request came from, as far as it can be known. It stays in memory, and for a minute."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

UNKNOWN: Final = ""
"""In place of an address: all such callers count as one."""

_WITH_PORT: Final = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
_PREFIX: Final = 64
"""Bits of an IPv6 address that one household gets; the rest it chooses itself."""


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
