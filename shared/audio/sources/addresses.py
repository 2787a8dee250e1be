"""Which addresses a listed host may have.

A name on the list can lead anywhere, by its owner's wish or by an attacker's: to this machine, to the platform that it
runs on, into a private network. So every address that a name has is judged before one of them is dialled.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from shared.domain.errors import SourceAddressRefused, SourceUnavailable
from shared.domain.recording_url import RecordingUrl

Address: TypeAlias = IPv4Address | IPv6Address

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Addresses of a host, as text. ``OSError`` where it has none."""

AZURE_PLATFORM: Final = ip_address("168.63.129.16")
"""Azure's wire server (Microsoft Learn, "What is IP address 168.63.129.16?"): public by its number, and the host."""

IDENTITY_SETTINGS: Final = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")
"""Where App Service says that it gives out tokens of the app's identity. Elsewhere that is link-local."""

_TRANSLATED: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""NAT64 (RFC 6052, RFC 8215): the last 32 bits are an IPv4 address that is dialled in the end."""
_TUNNELLED: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"), IPv6Network("::/96"))
"""6to4, Teredo and IPv4-compatible addresses: given up (RFC 7526, RFC 4291), and only good for hiding an IPv4 one."""
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")


def resolved(host: str, port: int) -> Sequence[str]:
    """By the system. Implements ``Resolver``."""
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def addresses_of(url: RecordingUrl, resolver: Resolver, environment: Mapping[str, str]) -> list[Address]:
    """What may be dialled for the URL, in the resolver's order.

    Raises ``SourceAddressRefused`` where any is not to be dialled, ``SourceUnavailable`` where there is none.
    """
    try:
        found = [ip_address(one.partition("%")[0]) for one in resolver(url.host, url.port)]
    except (OSError, UnicodeError, ValueError):
        found = []
    if not found:
        raise SourceUnavailable
    for address in found:
        if not _may_be_dialled(address, url, environment):
            raise SourceAddressRefused
    return found


def _may_be_dialled(address: Address, url: RecordingUrl, environment: Mapping[str, str]) -> bool:
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return _may_be_dialled(inner, url, environment)
        if address != IPv6Address("::1") and any(address in network for network in _TUNNELLED):
            return False
    if address.is_link_local or address.is_multicast or address.is_unspecified or address == AZURE_PLATFORM:
        return False
    if _is_identity_endpoint(address, url.port, environment):
        return False
    if address.is_loopback:
        return url.with_port
    if address.is_reserved or (address.version == 4 and address in _THIS_NETWORK):
        return False
    return url.exact or address.is_global


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is reached by way of this one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _is_identity_endpoint(address: Address, port: int, environment: Mapping[str, str]) -> bool:
    for setting in IDENTITY_SETTINGS:
        try:
            endpoint = urlsplit(environment.get(setting, ""))
            own_port, host = endpoint.port or 80, endpoint.hostname or ""
            own = ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            continue
        if port == own_port and (address == own or (address.is_loopback and own.is_loopback)):
            return True
    return False
