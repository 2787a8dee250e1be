"""Only what the operator listed can be read from, and no message repeats a URL."""

from __future__ import annotations

import pytest

from shared.domain.errors import RecordingUrlRefused
from shared.domain.recording_url import MAX_CHARACTERS, RecordingHosts

HOSTS = RecordingHosts.parse("Meetings.example.com, files.example.com:8443,*.blob.core.windows.net, 127.0.0.1:9000")


@pytest.mark.parametrize(
    ("received", "host", "port", "exact", "with_port"),
    [
        ("https://meetings.example.com/a.wav?sig=1", "meetings.example.com", 443, True, False),
        ("HTTPS://MEETINGS.example.com:443/a.wav", "meetings.example.com", 443, True, False),
        ("https://files.example.com:8443/", "files.example.com", 8443, True, True),
        ("http://files.example.com:8443/x", "files.example.com", 8443, True, True),
        ("https://a.blob.core.windows.net/c/a.wav", "a.blob.core.windows.net", 443, False, False),
        ("https://a.z6.blob.core.windows.net/c/a.wav", "a.z6.blob.core.windows.net", 443, False, False),
        ("http://127.0.0.1:9000/x", "127.0.0.1", 9000, True, True),
    ],
)
def test_a_listed_host_is_admitted(received: str, host: str, port: int, exact: bool, with_port: bool) -> None:
    url = HOSTS.admit(received)
    assert (url.host, url.port, url.exact, url.with_port) == (host, port, exact, with_port)
    assert url.target.startswith("/")
    assert url.secure == received.lower().startswith("https")


REFUSED = [
    "",
    "meetings.example.com/a.wav",
    "//meetings.example.com/a.wav",
    "ftp://meetings.example.com/a.wav",
    "file:///etc/passwd",
    "http://meetings.example.com/a.wav",
    "http://meetings.example.com:443/a.wav",
    "http://a.blob.core.windows.net/a.wav",
    "https://meetings.example.com",
    "https://meetings.example.com?x",
    "https://meetings.example.com:8443/a.wav",
    "https://files.example.com/a.wav",
    "https://files.example.com:08444/a.wav",
    "https://files.example.com:0/a.wav",
    "https://files.example.com:99999/a.wav",
    "https://blob.core.windows.net/a.wav",
    "https://evilblob.core.windows.net/a.wav",
    "https://a.blob.core.windows.net.evil.com/a.wav",
    "https://a.blob.core.windows.net:8443/a.wav",
    "https://a.blob.core.windows.net./a.wav",
    "https://.blob.core.windows.net/a.wav",
    "https://user@meetings.example.com/a.wav",
    "https://user:password@meetings.example.com/a.wav",
    "https://evil.com\\@meetings.example.com/a.wav",
    "https://evil.com#@meetings.example.com/a.wav",
    "https://meetings.example.com/a.wav#part",
    "https://meetings.example.com/a b.wav",
    "https://meetings.example.com/a\r\nX-Injected: 1",
    "https://meetings.example.com/\u00e4.wav",
    "https://m\u0435etings.example.com/a.wav",
    "https://meetings.example.com\u3002/a.wav",
    " https://meetings.example.com/a.wav",
    "https://meetings.example.com/a.wav\n",
    "https://2130706433:9000/a.wav",
    "https://0x7f.0.0.1:9000/a.wav",
    "https://127.1:9000/a.wav",
    "https://[::1]:9000/a.wav",
    "https://[::ffff:127.0.0.1]:9000/a.wav",
    "https://meetings.example.com/" + "a" * MAX_CHARACTERS,
]


@pytest.mark.parametrize("received", REFUSED)
def test_anything_else_is_refused_without_repeating_it(received: str) -> None:
    with pytest.raises(RecordingUrlRefused) as refused:
        HOSTS.admit(received)
    assert refused.value.__cause__ is None
    assert "example.com" not in str(refused.value)
    assert "9000" not in str(refused.value)


def test_without_hosts_nothing_is_admitted() -> None:
    assert not RecordingHosts.parse(" , ")
    with pytest.raises(RecordingUrlRefused, match="has listed no hosts"):
        RecordingHosts().admit("https://meetings.example.com/a.wav")


@pytest.mark.parametrize(
    "setting",
    ["*", "*.com", "*.", "*.example.com:8443", "a.*.com", "https://a.example", "a.example/", "a..b", "a:0", "a:65536",
     "a b", "-a.example", "user@a.example", "[::1", "a:b:c"],
)  # fmt: skip
def test_a_setting_of_another_form_is_no_list(setting: str) -> None:
    with pytest.raises(ValueError, match="exact names"):
        RecordingHosts.parse(f"good.example,{setting}")


def test_a_signed_url_is_in_no_representation() -> None:
    shown = repr(HOSTS.admit("https://meetings.example.com/secret.wav?sig=abc"))
    assert "secret" not in shown
    assert "abc" not in shown
    assert "meetings" not in shown
