"""What a recording's host may do to whoever reads from it. All servers are real, on this machine."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shared.audio.sources.ranges import RangeReader, Version
from shared.domain.errors import (
    SourceAddressRefused,
    SourceChanged,
    SourceExpired,
    SourceFailed,
    SourceRedirects,
    SourceTooLarge,
    SourceUnavailable,
    SourceWithoutRanges,
)
from shared.domain.limits import LONG_RECORDING_BYTES
from shared.domain.recording_url import RecordingHosts
from tests.azure.certificates import certificate
from tests.recording_host import ETAG, Answer, Say, Server, file, head, partial_head, serving

CONTENT = bytes(range(256)) * 40
QUICK = RangeReader(seconds=0.4)
VERSION = Version(ETAG, len(CONTENT))


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield
    assert "secret" not in caplog.text


def refusal(answer: Answer, kind: type[SourceFailed], of: Version | str | None = None, start: int = 0) -> Server:
    """What is raised says nothing of the URL."""
    with serving(answer) as server, pytest.raises(kind) as raised:
        QUICK.read(server.url(), start, 100, of)
    assert type(raised.value) is kind
    assert "secret" not in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)
    return server


def test_a_range_is_read_with_nothing_of_ours_in_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    with serving(file(CONTENT)) as server:
        assert RangeReader().read(server.url(), 10, 100) == (CONTENT[10:110], VERSION)
        assert RangeReader().read(server.url(), 10_200, 100, ETAG) == (CONTENT[10_200:], VERSION)
        assert RangeReader().read(server.url(), 0, 100, VERSION) == (CONTENT[:100], VERSION)
    first, second, third = (sorted(request.split("\r\n")[1:-2]) for request in server.requests)
    assert server.requests[0].startswith("GET /container/secret-name.wav?sig=secret-signature HTTP/1.1\r\n")
    own = ["Accept-Encoding: identity", "Connection: close", f"Host: 127.0.0.1:{server.port}"]
    assert first == [*own, "Range: bytes=10-109", "User-Agent: Timbre"]
    assert second == sorted([*own, f"If-Match: {ETAG}", "Range: bytes=10200-10299", "User-Agent: Timbre"])
    assert third[3] == f"If-Match: {ETAG}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with serving(file(CONTENT)) as target:

        def elsewhere(request: str, say: Say) -> None:
            say(head(f"{status} Moved", Location=f"http://127.0.0.1:{target.port}/x", Content_Length=0))

        refusal(elsewhere, SourceRedirects)
    assert target.requests == []


def test_a_name_is_resolved_once_and_what_was_judged_is_dialled() -> None:
    """Rebinding: the second answer would be this machine, which the entry does not name."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked: list[str] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    with serving(file(CONTENT)) as server:
        url = server.url(host="meetings.example.com")
        reader = RangeReader(resolver=resolver)
        assert reader.read(url, 0, 100)[0] == CONTENT[:100]
        assert asked == ["meetings.example.com"]
        with pytest.raises(SourceAddressRefused):  # and a later range judges anew
            reader.read(url, 0, 100)
    assert len(server.requests) == 1
    assert f"Host: meetings.example.com:{server.port}\r\n" in server.requests[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "168.63.129.16"])
def test_a_listed_name_that_leads_to_this_machine_or_the_platform_is_not_dialled(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = RecordingHosts.parse("*.example.com").admit("https://a.example.com/secret")
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("dialled"))
    with pytest.raises(SourceAddressRefused):
        RangeReader(resolver=lambda host, port: [address]).read(url, 0, 1)


def test_the_second_address_is_tried_where_the_first_does_not_answer() -> None:
    with serving(file(CONTENT)) as server:
        reader = RangeReader(resolver=lambda host, port: ["127.0.0.2", "127.0.0.1"])
        assert reader.read(server.url(), 0, 1)[0] == CONTENT[:1]


def test_tls_is_to_the_name_and_its_certificate_is_checked(tmp_path: Path) -> None:
    files = certificate(tmp_path, "meetings.example.com")

    def reads(host: str, reader: RangeReader) -> bool:
        with serving(file(CONTENT), files.of_server()) as server:
            url = server.url("https", host)
            try:
                return reader.read(url, 0, 100)[0] == CONTENT[:100]
            except SourceUnavailable:
                return False

    def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    trusting = RangeReader(resolver=here, tls=files.of_client)
    assert reads("meetings.example.com", trusting)
    assert not reads("other.example.com", trusting)
    assert not reads("meetings.example.com", RangeReader(resolver=here))


def slow(pieces: Sequence[bytes], seconds: float = 0.1) -> Answer:
    def answer(request: str, say: Say) -> None:
        with suppress(OSError):
            for piece in pieces:
                say(piece)
                time.sleep(seconds)

    return answer


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize(
    "pieces",
    [
        [b""] * 6,
        [bytes([byte]) for byte in b"HTTP/1.1 206 Partial Content"],
        [b"HTTP/1.1 206 Partial Content\r\n", *(f"X-{number}: 1\r\n".encode() for number in range(10))],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 10,
    ],
    ids=["silence", "status", "headers", "continue"],
)
def test_a_slow_drip_ends_with_the_deadline_however_it_drips(pieces: Sequence[bytes]) -> None:
    with within(1.5):
        refusal(slow(pieces), SourceUnavailable)


def test_a_slow_body_ends_with_the_deadline() -> None:
    def answer(request: str, say: Say) -> None:
        said, body = partial_head(CONTENT, request)
        say(said)
        slow([bytes([byte]) for byte in body])(request, say)

    with within(1.5):
        refusal(answer, SourceUnavailable)


def test_a_handshake_that_never_ends_ends_with_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, within(1.5), pytest.raises(SourceUnavailable):
        QUICK.read(Server(silent.getsockname()[1]).url("https"), 0, 1)


def endless(request: str, say: Say) -> None:
    said, body = partial_head(CONTENT, request, Content_Length=None)
    with suppress(OSError):
        say(said)
        while True:
            say(body)


def endless_chunks(request: str, say: Say) -> None:
    said, _ = partial_head(CONTENT, request, Content_Length=None, Transfer_Encoding="chunked")
    with suppress(OSError):
        say(said)
        while True:
            say(b"10\r\n" + bytes(16) + b"\r\n")


def endless_headers(request: str, say: Say) -> None:
    with suppress(OSError):
        say(b"HTTP/1.1 206 Partial Content\r\n")
        while True:
            say(b"X-A: " + b"a" * 1_000 + b"\r\n")


def endless_line(request: str, say: Say) -> None:
    with suppress(OSError):
        while True:
            say(b"HTTP/1.1 206 " + b"a" * 10_000)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (endless, SourceWithoutRanges),
        (endless_chunks, SourceWithoutRanges),
        (endless_headers, SourceUnavailable),
        (endless_line, SourceUnavailable),
        (file(CONTENT, Content_Length=101), SourceWithoutRanges),
        (file(CONTENT, Content_Length=10**12), SourceWithoutRanges),
    ],
    ids=["body", "chunks", "headers", "line", "one-more", "announced"],
)
def test_an_endless_answer_is_left_after_what_was_asked_for(answer: Answer, kind: type[SourceFailed]) -> None:
    with within(1.5):
        refusal(answer, kind)


def test_a_body_that_is_cut_short_may_be_whole_another_time() -> None:
    def answer(request: str, say: Say) -> None:
        said, body = partial_head(CONTENT, request)
        say(said + body[:50])

    refusal(answer, SourceUnavailable)


@pytest.mark.parametrize(
    ("content_range", "kind"),
    [
        (None, SourceWithoutRanges),
        ("bytes 0-99/*", SourceWithoutRanges),
        ("bytes */10240", SourceWithoutRanges),
        ("bytes 1-100/10240", SourceWithoutRanges),
        ("bytes 0-98/10240", SourceWithoutRanges),
        ("bytes 0-100/10240", SourceWithoutRanges),
        ("items 0-99/10240", SourceWithoutRanges),
        ("bytes 0-99/50", SourceWithoutRanges),
        ("bytes 0-99/" + "9" * 40, SourceWithoutRanges),
        (f"bytes 0-99/{LONG_RECORDING_BYTES + 1}", SourceTooLarge),
    ],
)
def test_a_content_range_that_is_not_the_one_asked_for_is_refused(
    content_range: str | None, kind: type[SourceFailed]
) -> None:
    refusal(file(CONTENT, Content_Range=content_range), kind)


@pytest.mark.parametrize("etag", [None, 'W/"1"', "1", '"', '"a"b"', '"' + "a" * 300 + '"'])
def test_a_source_without_a_strong_etag_is_refused(etag: str | None) -> None:
    refusal(file(CONTENT, ETag=etag), SourceWithoutRanges)


def test_a_compressed_range_is_refused() -> None:
    refusal(file(CONTENT, Content_Encoding="gzip"), SourceWithoutRanges)


def test_a_source_that_ignores_ranges_is_refused_before_its_body() -> None:
    def whole(request: str, say: Say) -> None:
        with suppress(OSError):
            say(head("200 OK", Content_Length=10**12, ETag=ETAG))
            say(bytes(100))

    refusal(whole, SourceWithoutRanges)


def test_a_changed_source_is_refused_whether_it_keeps_the_condition_or_ignores_it() -> None:
    changed = '"version-2"'
    refusal(file(CONTENT, ETag=changed), SourceChanged, of=VERSION)
    for of in (VERSION, ETAG):

        def heedless(request: str, say: Say) -> None:
            for part in partial_head(CONTENT, request, ETag=changed):
                say(part)

        refusal(heedless, SourceChanged, of=of)
    refusal(file(CONTENT[:-1]), SourceChanged, of=VERSION)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_url_that_has_expired_is_refused_by_name(status: int) -> None:
    refusal(lambda request, say: say(head(f"{status} No", Content_Length=0)), SourceExpired, of=VERSION)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, SourceUnavailable),
        (503, SourceUnavailable),
        (429, SourceUnavailable),
        (400, SourceWithoutRanges),
        (416, SourceWithoutRanges),
    ],
)
def test_other_answers_are_named_too(status: int, kind: type[SourceFailed]) -> None:
    refusal(lambda request, say: say(head(f"{status} No", Content_Length=0)), kind)


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0" * 100])
def test_what_is_no_http_is_not_available(said: bytes) -> None:
    refusal(lambda request, say: say(said), SourceUnavailable)


def test_nobody_at_the_port_is_not_available() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceUnavailable):
        QUICK.read(Server(port).url(), 0, 1)


def test_the_url_of_a_request_is_in_no_exception_behind_the_one_that_is_raised() -> None:
    with serving(lambda request, say: say(b"nonsense")) as server, pytest.raises(SourceUnavailable) as raised:
        QUICK.read(server.url(), 0, 1)
    cause: BaseException | None = raised.value
    while cause is not None:
        assert "secret" not in repr(cause)
        cause = cause.__cause__ or cause.__context__
