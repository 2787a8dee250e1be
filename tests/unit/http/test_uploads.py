"""A request as the host streams it: its address, its headers, its body in every way that bodies come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import azure.functions as func
import pytest

from shared.domain.errors import BodyCutShort, BodyTooLarge, BodyTooSlow, ServiceBusy, TimbreError
from shared.domain.limits import MAX_BODY_BYTES
from shared.http.uploads import BodySpace, Pace, Patience, StreamRequest
from tests.in_process import Answer, Connection, Part, scope, stream_request

MEBIBYTE = 1024 * 1024
CHUNKED = {"Transfer-Encoding": "chunked"}
STALLED = 60.0
"""Seconds; no passing test waits for so long."""

HOURS = 3_600.0


def whole(
    method: str = "POST", target: str = "/", headers: dict[str, str] | None = None, body: Any = b""
) -> func.HttpRequest:
    return asyncio.run(stream_request(method, target, headers, body)[0].whole())


class Upload:
    """A body on its way, refused."""

    def __init__(self, headers: dict[str, str], parts: Sequence[Part], **of_the_stream: Any) -> None:
        self.request, self.connection = stream_request("POST", "/", headers, parts, **of_the_stream)
        with pytest.raises(TimbreError) as refusal:
            asyncio.run(self.request.whole())
        self.refusal: Any = refusal.value


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ({}, "http://127.0.0.1/a"),
        ({"X-Forwarded-Host": "voice.example:8443"}, "http://voice.example:8443/a"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "voice.example"}, "https://voice.example/a"),
        ({"X-Forwarded-Proto": "HTTPS, http"}, "https://127.0.0.1/a"),
        ({"X-Forwarded-Proto": "http, https"}, "http://127.0.0.1/a"),
        ({"X-Forwarded-Proto": "javascript"}, "http://127.0.0.1/a"),
        ({"X-Forwarded-Proto": ""}, "http://127.0.0.1/a"),
    ],
)
def test_the_address_is_the_one_that_the_client_used(forwarded: dict[str, str], expected: str) -> None:
    assert whole("GET", "/a", forwarded).url == expected


@pytest.mark.parametrize(
    "target", ["/p/a%2Cb:verify", "/p/a%2fb", "/p/%C3%A9?q=%2C&r", "//a", "/a?url=http://x/?y", "/%zz"]
)
def test_path_and_query_are_as_they_came(target: str) -> None:
    assert whole("GET", target).url == f"http://127.0.0.1{target}"


def test_parameters_and_headers_are_decoded_found_in_any_case_and_repeated_ones_joined() -> None:
    asked = whole("GET", "/?ids=a%2Cb&ids=c&empty=&q=1+2&x=%C3%A9")
    assert dict(asked.params) == {"ids": "a,b,c", "empty": "", "q": "1 2", "x": "é"}
    connection = Connection([])
    pairs = [("Accept", "a/b"), ("X-Name", "é"), ("accept", "c/d")]
    asked = asyncio.run(StreamRequest(scope("GET", "/", pairs), connection.receive, connection.send).whole())
    assert (asked.headers["ACCEPT"], asked.headers["x-name"]) == ("a/b,c/d", "é")


def test_route_values_are_those_of_the_worker() -> None:
    request, _ = stream_request("GET", "/p/1", route_params={"profileId": "1"})
    assert dict(asyncio.run(request.whole()).route_params) == {"profileId": "1"}


@pytest.mark.parametrize(
    ("headers", "parts"),
    [({"Content-Length": "6"}, [b"abc", b"def"]), (CHUNKED, [b"a", b"", b"bcdef"]), (CHUNKED, [b"abc", 0.0, b"def"])],
    ids=["announced", "chunked", "with a pause"],
)
def test_a_body_is_put_together(headers: dict[str, str], parts: list[Part]) -> None:
    space = BodySpace(100)
    request, _ = stream_request("POST", "/", headers, parts, space=space)
    assert asyncio.run(request.whole()).get_body() == b"abcdef"
    assert space.free == 94
    request.close()
    request.close()
    assert space.free == 100


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    parts: list[Part] = [bytes(MEBIBYTE)] * (MAX_BODY_BYTES // MEBIBYTE)
    request, _ = stream_request("POST", "/", CHUNKED, parts)
    assert len(asyncio.run(request.whole()).get_body()) == MAX_BODY_BYTES
    request.close()


def test_a_body_that_is_announced_too_large_is_refused_unread() -> None:
    upload = Upload({"Content-Length": str(MAX_BODY_BYTES + 1)}, [b"first", b"rest"])
    assert isinstance(upload.refusal, BodyTooLarge)
    assert (upload.refusal.received_bytes, upload.refusal.at_least) == (MAX_BODY_BYTES + 1, False)
    assert upload.connection.parts == [b"first", b"rest"]


def test_a_chunked_body_that_grows_too_large_is_read_no_further_and_not_kept() -> None:
    parts: list[Part] = [bytes(MEBIBYTE)] * 40
    space = BodySpace(64 * MEBIBYTE)
    upload = Upload(CHUNKED, parts, space=space)
    assert isinstance(upload.refusal, BodyTooLarge)
    assert (upload.refusal.received_bytes, upload.refusal.at_least) == (33 * MEBIBYTE, True)
    assert len(upload.connection.parts) == 40 - 33
    assert space.free == 31 * MEBIBYTE
    upload.request.close()
    assert space.free == 64 * MEBIBYTE


def test_a_body_that_stalls_is_refused() -> None:
    upload = Upload({"Content-Length": "9"}, [b"abc", STALLED, b"def"], patience=Patience(stall_seconds=0.05))
    assert isinstance(upload.refusal, BodyTooSlow)
    assert (upload.refusal.received_bytes, upload.refusal.announced_bytes) == (3, 9)


def test_a_body_that_never_stalls_but_is_too_slow_is_refused() -> None:
    drops: list[Part] = [part for _ in range(100) for part in (b"a", 0.01)]
    upload = Upload(CHUNKED, drops, patience=Patience(stall_seconds=30.0, rate_seconds=0.2, bytes_per_second=1_000))
    assert isinstance(upload.refusal, BodyTooSlow)
    assert 0 < upload.refusal.received_bytes < 100
    assert upload.refusal.announced_bytes is None


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Content-Length": "1000"}, "Received 5 of 1,000 bytes."),
        (CHUNKED, "Received 5 bytes."),
    ],
)
def test_a_body_that_is_cut_short_is_refused_with_what_came(headers: dict[str, str], sentence: str) -> None:
    upload = Upload(headers, [b"abcde", None])
    assert isinstance(upload.refusal, BodyCutShort)
    assert str(upload.refusal) == f"The request body ended early. {sentence}"


def test_a_body_that_finds_no_space_is_refused_and_gives_back_what_it_had() -> None:
    space = BodySpace(8)
    upload = Upload(CHUNKED, [b"abcde", b"fghij", b"k"], space=space)
    assert isinstance(upload.refusal, ServiceBusy)
    assert space.free == 3
    upload.request.close()
    assert space.free == 8


def answered(response: func.HttpResponse, method: str = "POST", parts: Sequence[Part] = ()) -> Answer:
    request, connection = stream_request(method, "/", CHUNKED, parts)
    asyncio.run(request.answer(response))
    asyncio.run(request.answer(func.HttpResponse("once is enough", status_code=500)))
    return connection.answer


def test_an_answer_has_its_length_its_headers_and_no_second() -> None:
    answer = answered(func.HttpResponse("é", status_code=201, headers={"Location": "/é"}))
    assert (answer.status, answer.body) == (201, "é".encode())
    expected = {"location": "/é", "content-length": "2", "content-type": "text/plain"}
    assert answer.headers == expected


def test_an_answers_own_type_is_the_only_one() -> None:
    answer = func.HttpResponse("{}", headers={"Content-Type": "application/json; charset=utf-8"})
    request, connection = stream_request("POST", "/")
    asyncio.run(request.answer(answer))
    types = [value for name, value in connection.sent[0]["headers"] if name.lower() == b"content-type"]
    assert types == [b"application/json; charset=utf-8"]


@pytest.mark.parametrize(("status", "length"), [(200, "0"), (202, "0"), (204, None), (304, None)])
def test_an_answer_without_a_body_says_so_where_it_may(status: int, length: str | None) -> None:
    answer = answered(func.HttpResponse(status_code=status))
    assert (answer.body, answer.headers.get("content-length")) == (b"", length)


def test_an_answer_comes_before_the_body_has_ended() -> None:
    assert answered(func.HttpResponse("no"), parts=[b"more", STALLED]).body == b"no"


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time is set by hand."""

    at = 0.0

    def time(self) -> float:
        return self.at


def pace(patience: Patience, *parts: tuple[float, int]) -> Pace:
    """After parts that came at these seconds, with so many bytes. Raises ``BodyTooSlow``."""
    with asyncio.Runner(loop_factory=Clock) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Clock)

        async def run() -> Pace:
            measured = Pace(1_000, patience)
            for seconds, size in parts:
                loop.at = seconds
                measured.count(size)
            measured.now_seconds = measured.patience_seconds  # type: ignore[attr-defined]  # needs the loop
            return measured

        return runner.run(run())


@pytest.mark.parametrize(
    ("parts", "expected"), [([], 20.0), ([(30.0, 1)], 20.0), ([(55.0, 599)], 5.0), ([(55.0, 600)], 20.0)]
)
def test_bytes_are_waited_for_as_long_as_a_stall_or_a_slow_minute_may_last(
    parts: list[tuple[float, int]], expected: float
) -> None:
    patience = pace(Patience(20.0, 60.0, 10.0), *parts).now_seconds  # type: ignore[attr-defined]
    assert patience == expected


def test_a_minute_with_too_few_bytes_is_refused_with_what_came() -> None:
    with pytest.raises(BodyTooSlow) as refusal:
        pace(Patience(HOURS, 60.0, 10.0), (30.0, 300), (60.0, 299))
    assert (refusal.value.received_bytes, refusal.value.announced_bytes) == (599, 1_000)


def test_a_minute_with_enough_bytes_begins_another_that_counts_anew() -> None:
    patience = Patience(HOURS, 60.0, 10.0)
    assert pace(patience, (30.0, 5_000), (60.0, 1), (119.0, 1)).received == 5_002
    with pytest.raises(BodyTooSlow):
        pace(patience, (30.0, 5_000), (60.0, 1), (120.0, 1))
