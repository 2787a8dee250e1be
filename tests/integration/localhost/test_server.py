from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.localhost.conftest import Sample


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        error: dict[str, str] = json.loads(self.body)["error"]
        return error


def call(
    sample: Sample,
    method: str,
    target: str,
    body: bytes | Iterator[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(sample.service.url).netloc, timeout=60)
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)


def wait_for(file: Path) -> None:
    wait_until(file.exists)


def test_a_function_gets_its_route_parameter_and_query(sample: Sample) -> None:
    """The value is decoded once and keeps its slashes."""
    answer = call(sample, "GET", "/ECHO/Ann%20B%2C%252f%2fc/?q=1&q=2+3")
    assert (answer.status, answer.headers["x-name"], answer.headers["x-query"]) == (201, "Ann B,%2f%2Fc", "1,2 3")


@pytest.mark.parametrize("way", ["binary", "chunked", "gzip"])
def test_a_body_is_handed_on_as_it_came(sample: Sample, way: str) -> None:
    data = gzip.compress(b"speech") if way == "gzip" else os.urandom(200_000)
    sent = iter([data[:70_000], data[70_000:]]) if way == "chunked" else data
    answer = call(sample, "POST", "/echo/a", sent, {"Content-Encoding": "gzip"} if way == "gzip" else {})
    assert (answer.body, answer.headers["content-type"]) == (data, "application/octet-stream")
    assert way != "gzip" or answer.headers["x-encoding"] == "gzip"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_reach_a_function_that_lists_them(sample: Sample, method: str) -> None:
    answer = call(sample, method, "/echo/a")
    assert (answer.status, answer.headers["x-method"], answer.body) == (201, method, b"")


def test_the_address_is_the_callers(sample: Sample) -> None:
    headers = {"Host": "voice.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = call(sample, "GET", "/address?a=b%2C", headers=headers)
    assert (answer.status, answer.body) == (200, b"https://voice.example/address?a=b%2C")


@pytest.mark.parametrize("target", ["/nothing", "//echo/a", "/echo//a", "/runtime/nothing"])
def test_an_unknown_path_is_a_404_with_json(sample: Sample, target: str) -> None:
    answer = call(sample, "GET", target)
    assert (answer.status, answer.error["code"]) == (404, "NotFound")


CAFE = "caf\u00e9"


@pytest.mark.parametrize(
    ("query", "header", "status", "code"),
    [
        ("", "{key}", 200, None),
        ("?code={key}", None, 200, None),
        ("", None, 401, "Unauthorized"),
        ("", "no", 401, "Unauthorized"),
        ("?code=no", None, 401, "Unauthorized"),
        ("", CAFE.encode().decode("latin-1"), 401, "Unauthorized"),  # http.client sends Latin-1
        ("", CAFE, 400, "BadRequest"),  # which is not UTF-8
    ],
)
def test_a_function_key_opens_a_guarded_function(
    sample: Sample, query: str, header: str | None, status: int, code: str | None
) -> None:
    key = sample.service.management_key
    headers = {} if header is None else {"x-functions-key": header.format(key=key)}
    answer = call(sample, "GET", f"/guarded{query.format(key=key)}", headers=headers)
    assert answer.status == status
    assert code is None or answer.error["code"] == code


def test_an_exception_is_a_500_whose_reason_stays_in_the_log(sample: Sample) -> None:
    answer = call(sample, "GET", "/broken")
    assert (answer.status, answer.error["code"]) == (500, "InternalServerError")
    assert b"reason" not in answer.body
    wait_until(lambda: "RuntimeError: the reason stays here" in sample.service.log.read_text())


def test_the_host_says_that_it_runs(sample: Sample) -> None:
    assert json.loads(call(sample, "GET", "/admin/host/status").body)["state"] == "Running"


def test_a_timer_fires_on_demand_and_has_run_when_the_answer_comes(sample: Sample) -> None:
    headers = {"x-functions-key": sample.service.management_key, "Content-Type": "application/json"}
    answer = call(sample, "POST", "/admin/functions/yearly", b'{"input": ""}', headers)
    assert (answer.status, answer.body) == (202, b"")
    assert (sample.folder / "yearly-ran").read_text() == "False"


def test_a_timer_fires_on_its_schedule_which_a_setting_may_hold(sample: Sample) -> None:
    wait_for(sample.folder / "often-ran")


@pytest.mark.parametrize(
    ("method", "name", "status"),
    [("POST", "failing", 500), ("POST", "unknown", 404), ("POST", "echo", 404), ("GET", "yearly", 404)],
)
def test_what_cannot_be_fired_says_why(sample: Sample, method: str, name: str, status: int) -> None:
    key = {"x-functions-key": sample.service.management_key}
    answer = call(sample, method, f"/admin/functions/{name}", headers=key)
    assert (answer.status, set(answer.error)) == (status, {"code", "message"})


def test_firing_needs_the_key(sample: Sample) -> None:
    assert call(sample, "POST", "/admin/functions/yearly", b'{"input": ""}').status == 401


def connected(sample: Sample) -> socket.socket:
    address = urlsplit(sample.service.url)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=30)


def test_a_client_that_asks_first_is_told_to_send(sample: Sample) -> None:
    with connected(sample) as connection:
        connection.sendall(b"POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(4096).split(b"\r\n")[0] == b"HTTP/1.1 100 Continue"
        connection.sendall(b"abc")
        assert connection.recv(4096).startswith(b"HTTP/1.1 201")


def test_a_client_that_has_closed_its_own_side_still_gets_its_answer(sample: Sample) -> None:
    with connected(sample) as connection:
        connection.sendall(b"POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        message = json.loads(response.read())["error"]["message"]
    assert (response.status, message) == (400, "The request body ended early. Received 3 of 1,000 bytes.")


def test_a_request_line_is_logged_without_query_key_or_body(sample: Sample) -> None:
    secret = "do-not-log-me"
    call(sample, "POST", f"/echo/logged?code={secret}", secret.encode(), {"x-functions-key": secret})
    wait_until(lambda: "POST /echo/logged 201 " in sample.service.log.read_text())
    log = sample.service.log.read_text()
    assert secret not in log
    assert sample.service.management_key not in log


def test_a_zero_in_a_path_is_a_400(sample: Sample) -> None:
    answer = call(sample, "GET", "/echo/a%00b")
    assert (answer.status, answer.error["code"]) == (400, "BadRequest")
