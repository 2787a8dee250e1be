"""What a recording's host may do to whoever reads from it. All servers are real, on this machine."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from threading import Event

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
from shared.domain.limits import LONG_RECORDING_BYTES, SOURCE_SECONDS
from shared.domain.recording_url import RecordingHosts
from tests.azure.certificates import certificate
from tests.recording_host import ETAG, Answer, Say, Server, file, head, partial_head, serving

CONTENT = bytes(range(256)) * 40
QUICK = RangeReader(seconds=0.4)
"""Where the deadline is to end it."""
PATIENT = RangeReader(seconds=60.0)
"""Where something else is, on a busy machine too."""
VERSION = Version(ETAG, len(CONTENT))


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield
    assert "secret" not in caplog.text


def refuses(answer: Answer, kind: type[SourceFailed], of: Version | str | None = None) -> None:
    """Before the deadline; what is raised says nothing of the URL."""
    began = time.monotonic()
    with serving(answer) as server:
        refuses_to_read(PATIENT, server, kind, of)
    assert time.monotonic() - began < PATIENT.seconds


def refuses_to_read(
    reader: RangeReader, server: Server, kind: type[SourceFailed], of: Version | str | None = None
) -> None:
    with pytest.raises(kind) as raised:
        reader.read(server.url(), 0, 100, of)
    assert type(raised.value) is kind
    assert "secret" not in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)


def heedless(**changed: object) -> Answer:
    """The right answer but for these headers, whatever the condition."""

    def answer(request: str, say: Say) -> None:
        for part in partial_head(CONTENT, request, **changed):
            say(part)

    return answer


def saying(*pieces: bytes) -> Answer:
    def answer(request: str, say: Say) -> None:
        with suppress(OSError):
            for piece in pieces:
                say(piece)

    return answer


def status(number: int) -> Answer:
    return saying(head(f"{number} Said", Content_Length=0))


def for_ever(more: bytes, begin: bytes | None = None, **changed: object) -> Answer:
    """``begin``, or the right head with these changes; then more and more."""

    def answer(request: str, say: Say) -> None:
        with suppress(OSError):
            say(partial_head(CONTENT, request, **changed)[0] if begin is None else begin)
            while True:
                say(more)

    return answer


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


@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(number: int) -> None:
    with serving(file(CONTENT)) as target:
        elsewhere = head(f"{number} Moved", Location=f"http://127.0.0.1:{target.port}/x", Content_Length=0)
        refuses(saying(elsewhere), SourceRedirects)
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


PARTIAL = b"HTTP/1.1 206 Partial Content"


@pytest.mark.parametrize(
    "pieces",
    [
        [b""],
        [bytes([byte]) for byte in PARTIAL],
        [PARTIAL + b"\r\n", b"X-Y: 1\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n"],
        [head("206 Partial Content", ETag=ETAG, Content_Range="bytes 0-99/10240", Content_Length=100), b"x"],
    ],
    ids=["silence", "status", "headers", "continue", "body"],
)
def test_a_slow_drip_ends_with_the_deadline_however_it_drips(pieces: Sequence[bytes]) -> None:
    """The last piece comes again and again, and what was asked for is whole after 25 s at the earliest."""
    over = Event()

    def drip(request: str, say: Say) -> None:
        with suppress(OSError):
            for piece in chain(pieces, repeat(pieces[-1])):
                if over.wait(0.25):
                    return
                say(piece)

    began = time.monotonic()
    with serving(drip) as server:
        refuses_to_read(QUICK, server, SourceUnavailable)
        over.set()
    assert time.monotonic() - began < SOURCE_SECONDS


def test_a_handshake_that_never_ends_ends_with_the_deadline() -> None:
    """The other side says nothing for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceUnavailable):
        QUICK.read(Server(silent.getsockname()[1]).url("https"), 0, 1)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (for_ever(CONTENT[:100], Content_Length=None), SourceWithoutRanges),
        (
            for_ever(b"10\r\n" + bytes(16) + b"\r\n", Content_Length=None, Transfer_Encoding="chunked"),
            SourceWithoutRanges,
        ),
        (for_ever(b"X-A: " + b"a" * 1_000 + b"\r\n", PARTIAL + b"\r\n"), SourceUnavailable),
        (for_ever(b"a" * 10_000, b"HTTP/1.1 206 "), SourceUnavailable),
        (for_ever(bytes(100), head("200 OK", Content_Length=10**12, ETag=ETAG)), SourceWithoutRanges),
        (file(CONTENT, Content_Length=101), SourceWithoutRanges),
        (file(CONTENT, Content_Length=10**12), SourceWithoutRanges),
    ],
    ids=["body", "chunks", "headers", "line", "ranges ignored", "one more", "announced"],
)
def test_an_endless_answer_is_left_after_what_was_asked_for(answer: Answer, kind: type[SourceFailed]) -> None:
    refuses(answer, kind)


RANGES = (
    None, "bytes 0-99/*", "bytes */10240", "bytes 1-100/10240", "bytes 0-98/10240", "bytes 0-100/10240",
    "items 0-99/10240", "bytes 0-99/50", f"bytes 0-99/{'9' * 40}",
)  # fmt: skip
ETAGS = (None, 'W/"1"', "1", '"', '"a"b"', '"' + "a" * 300 + '"')


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        *((file(CONTENT, Content_Range=said), SourceWithoutRanges) for said in RANGES),
        (file(CONTENT, Content_Range=f"bytes 0-99/{LONG_RECORDING_BYTES + 1}"), SourceTooLarge),
        *((file(CONTENT, ETag=said), SourceWithoutRanges) for said in ETAGS),
        (file(CONTENT, Content_Encoding="gzip"), SourceWithoutRanges),
        *((status(number), SourceExpired) for number in (401, 403, 404, 410)),
        *((status(number), SourceUnavailable) for number in (429, 500, 503)),
        *((status(number), SourceWithoutRanges) for number in (400, 416)),
        *(
            (saying(said), SourceUnavailable)
            for said in (b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0" * 100)
        ),
        (
            saying(head("206 Partial Content", ETag=ETAG, Content_Range="bytes 0-99/10240", Content_Length=100) + b"x"),
            SourceUnavailable,  # a body that is cut short may be whole another time
        ),
    ],
)
def test_what_is_not_the_range_that_was_asked_for_is_refused_by_kind(answer: Answer, kind: type[SourceFailed]) -> None:
    refuses(answer, kind)


def test_a_changed_source_is_refused_whether_it_keeps_the_condition_or_ignores_it() -> None:
    changed = '"version-2"'
    refuses(file(CONTENT, ETag=changed), SourceChanged, of=VERSION)
    for of in (VERSION, ETAG):
        refuses(heedless(ETag=changed), SourceChanged, of=of)
    refuses(file(CONTENT[:-1]), SourceChanged, of=VERSION)


def test_nobody_at_the_port_is_not_available() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(SourceUnavailable):
            PATIENT.read(Server(taken.getsockname()[1]).url(), 0, 1)


def test_the_url_of_a_request_is_in_no_exception_behind_the_one_that_is_raised() -> None:
    with serving(lambda request, say: say(b"nonsense")) as server, pytest.raises(SourceUnavailable) as raised:
        PATIENT.read(server.url(), 0, 1)
    cause: BaseException | None = raised.value
    while cause is not None:
        assert "secret" not in repr(cause)
        cause = cause.__cause__ or cause.__context__
