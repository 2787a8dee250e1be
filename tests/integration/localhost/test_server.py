from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.localhost.conftest import Sample

MEBIBYTE = 1024 * 1024
LIMIT = 100 * MEBIBYTE


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


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} was not written"
        time.sleep(0.02)


def test_a_function_gets_its_route_parameter_and_query(sample: Sample) -> None:
    answer = call(sample, "GET", "/ECHO/Ann%20B/?q=1&q=2+3")
    assert (answer.status, answer.headers["x-name"], answer.headers["x-query"]) == (201, "Ann B", "1,2 3")


def test_200_kb_of_binary_go_in_and_come_out(sample: Sample) -> None:
    data = os.urandom(200_000)
    answer = call(sample, "POST", "/echo/a", data)
    assert answer.body == data
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_chunked_body_arrives_whole(sample: Sample) -> None:
    assert call(sample, "POST", "/echo/a", iter([b"one ", b"two"])).body == b"one two"


def test_a_compressed_body_is_handed_on_as_it_came(sample: Sample) -> None:
    packed = gzip.compress(b"speech")
    answer = call(sample, "POST", "/echo/a", packed, {"Content-Encoding": "gzip"})
    assert (answer.body, answer.headers["x-encoding"]) == (packed, "gzip")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_reach_a_function_that_lists_them(sample: Sample, method: str) -> None:
    answer = call(sample, method, "/echo/a")
    assert (answer.status, answer.headers["x-method"], answer.body) == (201, method, b"")


def test_a_string_is_a_plain_answer_and_the_url_is_the_callers(sample: Sample) -> None:
    answer = call(sample, "GET", "/plain?a=b", headers={"Host": "voice.example"})
    assert (answer.status, answer.body) == (200, b"http://voice.example/plain?a=b")


def test_each_cookie_keeps_its_attributes(sample: Sample) -> None:
    cookies = call(sample, "GET", "/cookies").headers.get_all("Set-Cookie")
    assert cookies == ["a=1; HttpOnly; Max-Age=60; Path=/; SameSite=Lax", "b=2; Secure"]


@pytest.mark.parametrize("target", ["/nothing", "//echo/a", "/echo//a", "/admin/nothing", "/runtime/nothing"])
def test_an_unknown_path_is_a_404_with_json(sample: Sample, target: str) -> None:
    answer = call(sample, "GET", target)
    assert (answer.status, answer.error["code"]) == (404, "NotFound")


def test_a_wrong_method_is_a_405_that_names_the_right_ones(sample: Sample) -> None:
    answer = call(sample, "PUT", "/echo/a")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert answer.error["code"] == "MethodNotAllowed"


@pytest.mark.parametrize("place", ["header", "query"])
def test_a_function_key_opens_a_guarded_function(sample: Sample, place: str) -> None:
    key = sample.service.management_key
    target, headers = ("/guarded", {"x-functions-key": key}) if place == "header" else (f"/guarded?code={key}", {})
    assert call(sample, "GET", target, headers=headers).body == b"in"


@pytest.mark.parametrize(("target", "key"), [("/guarded", ""), ("/guarded", "no"), ("/guarded?code=no", "")])
def test_without_the_key_a_guarded_function_is_a_401(sample: Sample, target: str, key: str) -> None:
    answer = call(sample, "GET", target, headers={"x-functions-key": key} if key else {})
    assert (answer.status, answer.error["code"]) == (401, "Unauthorized")


def test_a_header_that_is_not_utf8_is_a_400(sample: Sample) -> None:
    answer = call(sample, "GET", "/guarded", headers={"x-functions-key": "caf\u00e9"})  # http.client sends Latin-1
    assert (answer.status, answer.error["code"]) == (400, "BadRequest")


def test_a_key_beyond_ascii_is_just_a_wrong_key(sample: Sample) -> None:
    utf8 = "caf\u00e9".encode().decode("latin-1")
    assert call(sample, "GET", "/guarded", headers={"x-functions-key": utf8}).status == 401


def test_an_exception_is_a_500_whose_reason_stays_in_the_log(sample: Sample) -> None:
    answer = call(sample, "GET", "/broken")
    assert (answer.status, answer.error["code"]) == (500, "InternalServerError")
    assert b"reason" not in answer.body
    assert "RuntimeError: the reason stays here" in sample.service.log.read_text()


def test_two_plain_functions_run_at_the_same_time(sample: Sample) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: call(sample, "GET", "/together"), range(2)))
    assert [answer.body for answer in answers] == [b"met", b"met"]


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
    ("method", "name", "body", "status"),
    [
        ("POST", "failing", b'{"input": ""}', 500),
        ("POST", "unknown", b'{"input": ""}', 404),
        ("POST", "echo", b'{"input": ""}', 400),
        ("POST", "yearly", b"not json", 400),
        ("POST", "yearly", b"[]", 400),
        ("GET", "yearly", b"", 405),
    ],
)
def test_what_cannot_be_fired_says_why(sample: Sample, method: str, name: str, body: bytes, status: int) -> None:
    answer = call(sample, method, f"/admin/functions/{name}", body, {"x-functions-key": sample.service.management_key})
    assert (answer.status, set(answer.error)) == (status, {"code", "message"})


def test_firing_needs_the_key(sample: Sample) -> None:
    assert call(sample, "POST", "/admin/functions/yearly", b'{"input": ""}').status == 401


def zeros(count: int) -> Iterator[bytes]:
    block = bytes(MEBIBYTE)
    for _ in range(count // MEBIBYTE):
        yield block
    yield bytes(count % MEBIBYTE)


@pytest.mark.parametrize(
    ("headers", "received"),
    [({"Content-Length": str(2 * LIMIT)}, f"received {2 * LIMIT} bytes"), ({}, f"received more than {LIMIT} bytes")],
    ids=["announced", "chunked"],
)
def test_a_200_mib_body_gets_its_413_while_it_is_still_sent(
    sample: Sample, headers: dict[str, str], received: str
) -> None:
    answer = call(sample, "POST", "/echo/a", zeros(2 * LIMIT), headers)
    assert (answer.status, answer.error["code"]) == (413, "RequestEntityTooLarge")
    assert str(LIMIT) in answer.error["message"]
    assert received in answer.error["message"]


def test_a_body_of_exactly_the_limit_is_taken(sample: Sample) -> None:
    answer = call(sample, "POST", "/echo/a", zeros(LIMIT), {"Content-Length": str(LIMIT)})
    assert (answer.status, len(answer.body)) == (201, LIMIT)


@pytest.mark.parametrize(
    ("length", "status_line"), [(3, b"HTTP/1.1 100 Continue"), (2 * LIMIT, b"HTTP/1.1 413 Request Entity Too Large")]
)
def test_a_client_that_asks_first_is_told_before_it_sends(sample: Sample, length: int, status_line: bytes) -> None:
    address = urlsplit(sample.service.url)
    assert address.hostname
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as connection:
        head = f"POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(4096).split(b"\r\n")[0] == status_line
        if length == 3:
            connection.sendall(b"abc")
            assert connection.recv(4096).startswith(b"HTTP/1.1 201")


def test_a_request_line_is_logged_without_query_key_or_body(sample: Sample) -> None:
    secret = "do-not-log-me"
    call(sample, "POST", f"/echo/logged?code={secret}", secret.encode(), {"x-functions-key": secret})
    log = sample.service.log.read_text()
    assert "POST /echo/logged 201 " in log
    assert secret not in log
    assert sample.service.management_key not in log
