"""Answers on the wire: numbers, empty bodies; and links, which repeat a request's Host only when it is ours."""

from __future__ import annotations

import base64

import pytest

from shared.config import Config, read
from shared.domain.errors import HostNotAllowed
from shared.http.reply import Reply, base_url, seconds


@pytest.mark.parametrize(("value", "written"), [(7.926, 7.93), (30, 30.0), (0.0, 0.0), (1e-9, 0.0)])
def test_seconds_are_rounded_to_two_decimals_and_stay_floats(value: float, written: float) -> None:
    result = seconds(value)
    assert result == written
    assert "." in repr(result)


def test_an_answer_without_a_body_is_empty_and_has_its_headers() -> None:
    response = Reply(202, headers={"Operation-Location": "http://x/1"}).response({"apim-request-id": "2"})
    assert (response.status_code, response.get_body()) == (202, b"")
    assert dict(response.headers) == {"Operation-Location": "http://x/1", "apim-request-id": "2"}


def test_a_body_is_compact_utf8_json() -> None:
    response = Reply(200, [{"phrase": "“ä”"}]).response({})
    assert response.get_body() == '[{"phrase":"“ä”"}]'.encode()
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert Reply(200, []).response({}).get_body() == b"[]"


def config(**settings: str) -> Config:
    key = "local:" + base64.b64encode(bytes(32)).decode()
    needed = {"VOICE_STORAGE": "AccountName=unused;AccountKey=dW51c2Vk", "TIMBRE_KEY_ENCRYPTION": key}
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


def test_a_gateways_address_comes_before_all() -> None:
    settings = config(TIMBRE_PUBLIC_URL="https://gateway.example.com/", WEBSITE_HOSTNAME="timbre.azurewebsites.net")
    for host in ("localhost", "timbre.azurewebsites.net", "evil.example"):
        assert base_url(f"http://{host}/path", settings) == "https://gateway.example.com"


def test_where_nothing_is_known_but_the_loopback_the_refusal_names_the_setting() -> None:
    assert base_url("https://localhost/path", config()) == "https://localhost"
    with pytest.raises(HostNotAllowed, match=r"evil\.example.*TIMBRE_ALLOWED_HOSTS"):
        base_url("http://evil.example/path", config())
