"""Links repeat a request's Host only when it is known to be ours."""

from __future__ import annotations

import pytest

from shared.config import Config, read
from shared.domain.errors import HostNotAllowed
from shared.http.links import base_url


def config(**settings: str) -> Config:
    needed = {"VOICE_STORAGE": "AccountName=unused;AccountKey=dW51c2Vk", "TIMBRE_KEY_ENCRYPTION": "local:AA=="}
    return read({**needed, **settings})


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:7071", "http://localhost:7071"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]:80", "http://[::1]:80"),
        ("Voices.Example.com", "http://voices.example.com"),
        ("voices.example.com:8443", "http://voices.example.com:8443"),
        ("other.example.com:8443", "http://other.example.com:8443"),
        ("timbre.azurewebsites.net", "http://timbre.azurewebsites.net"),
        ("other.example.com", "https://timbre.azurewebsites.net"),
        ("evil.example", "https://timbre.azurewebsites.net"),
        ("voices.example.com.evil.example", "https://timbre.azurewebsites.net"),
        ("evil.example@voices.example.com", "http://voices.example.com"),
        ("voices.example.com@evil.example", "https://timbre.azurewebsites.net"),
        ("voices.example.com:port", "https://timbre.azurewebsites.net"),
        ("", "https://timbre.azurewebsites.net"),
    ],
)
def test_a_host_is_repeated_when_it_is_known(host: str, expected: str) -> None:
    settings = config(
        TIMBRE_ALLOWED_HOSTS="voices.example.com, other.example.com:8443", WEBSITE_HOSTNAME="timbre.azurewebsites.net"
    )
    assert base_url(f"http://{host}/path", settings) == expected


def test_the_scheme_is_that_of_the_request() -> None:
    assert base_url("https://localhost/path", config()) == "https://localhost"


def test_a_gateways_address_comes_before_all() -> None:
    settings = config(TIMBRE_PUBLIC_URL="https://gateway.example.com/", WEBSITE_HOSTNAME="timbre.azurewebsites.net")
    for host in ("localhost", "timbre.azurewebsites.net", "evil.example"):
        assert base_url(f"http://{host}/path", settings) == "https://gateway.example.com"


def test_where_nothing_is_known_the_refusal_names_the_setting() -> None:
    with pytest.raises(HostNotAllowed, match=r"evil\.example.*TIMBRE_ALLOWED_HOSTS"):
        base_url("http://evil.example/path", config())
