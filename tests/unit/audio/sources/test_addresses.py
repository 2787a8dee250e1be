"""Every address that a listed name leads to is judged, in whatever form it hides."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

import pytest

from shared.audio.sources.addresses import addresses_of
from shared.domain.errors import SourceAddressRefused, SourceUnavailable
from shared.domain.recording_url import RecordingHosts, RecordingUrl

WILDCARD = RecordingHosts.parse("*.example.com").admit("https://a.example.com/x")
EXACT = RecordingHosts.parse("a.example.com").admit("https://a.example.com/x")
WITH_PORT = RecordingHosts.parse("a.example.com:9000").admit("http://a.example.com:9000/x")

PUBLIC = ("20.60.1.1", "2603:1030::1", "64:ff9b::20.60.1.1", "::ffff:20.60.1.1")
PRIVATE = ("10.0.0.4", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.4", "64:ff9b::10.0.0.4")
LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1")
NEVER = (
    "169.254.169.254", "169.254.1.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "0.1.2.3",
    "168.63.129.16", "255.255.255.255", "240.0.0.1",
    "::ffff:169.254.169.254", "::ffff:168.63.129.16", "64:ff9b::169.254.169.254", "64:ff9b:1::168.63.129.16",
    "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::10.0.0.4", "::ffff:0:10.0.0.4",
)  # fmt: skip


def dialled(url: RecordingUrl, *found: str, environment: Mapping[str, str] | None = None) -> list[str]:
    def resolver(host: str, port: int) -> Sequence[str]:
        assert (host, port) == (url.host, url.port)
        return found

    return [str(address) for address in addresses_of(url, resolver, environment or {})]


def is_refused(url: RecordingUrl, *found: str, environment: Mapping[str, str] | None = None) -> bool:
    try:
        dialled(url, *found, environment=environment)
    except SourceAddressRefused as refused:
        return not any(one in str(refused) for one in found)
    return False


@pytest.mark.parametrize(
    ("addresses", "dialled_for"),
    [(PUBLIC, [WILDCARD, EXACT, WITH_PORT]), (PRIVATE, [EXACT, WITH_PORT]), (LOOPBACK, [WITH_PORT]), (NEVER, [])],
    ids=["public", "private", "loopback", "never"],
)
def test_an_address_is_dialled_for_the_entries_alone_that_may_lead_there(
    addresses: Sequence[str], dialled_for: list[RecordingUrl]
) -> None:
    """Into a private network for a host that is written out, to this machine for a host and port, never elsewhere."""
    for address in addresses:
        assert [url for url in (WILDCARD, EXACT, WITH_PORT) if not is_refused(url, address)] == dialled_for, address


def test_one_bad_address_among_good_ones_is_enough() -> None:
    assert is_refused(EXACT, "20.60.1.1", "169.254.169.254")
    assert is_refused(EXACT, "169.254.169.254", "20.60.1.1")


@pytest.mark.parametrize(
    ("setting", "endpoint"),
    [
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:9000/msi/token/"),
        ("IDENTITY_ENDPOINT", "http://localhost:9000/msi/token/"),
        ("MSI_ENDPOINT", "http://10.1.2.3:9000/msi/token"),
    ],
)
def test_where_the_app_gets_its_own_tokens_is_refused_although_host_and_port_are_listed(
    setting: str, endpoint: str
) -> None:
    address = "10.1.2.3" if "10.1" in endpoint else "127.0.0.1"
    assert is_refused(WITH_PORT, address, environment={setting: endpoint})
    assert not is_refused(WITH_PORT, address, environment={setting: endpoint.replace("9000", "9001")})
    assert not is_refused(WITH_PORT, address, environment={setting: "http://[broken"})


def test_a_name_without_addresses_is_not_available() -> None:
    def nothing(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror

    for resolver in (nothing, lambda host, port: [], lambda host, port: ["no address"]):
        with pytest.raises(SourceUnavailable):
            addresses_of(EXACT, resolver, {})
