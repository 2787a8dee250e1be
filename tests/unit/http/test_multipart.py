"""The recording in a multipart body, however real clients have written one."""

from __future__ import annotations

import pytest

from shared.domain.errors import BodyNotUnderstood
from shared.http.multipart import MAX_PARTS, audio_part

WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\r\n--not the boundary\r\n\r\n\n\n\xff\xfe"


def part(headers: str, content: bytes, boundary: str = "X") -> bytes:
    return f"--{boundary}\r\n{headers}\r\n\r\n".encode("latin-1") + content + b"\r\n"


def form(*parts: bytes, boundary: str = "X") -> bytes:
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    "content_type",
    [
        None, "multipart/form-data", "multipart/form-data, multipart/form-data", "application/octet-stream",
        "multipart/form-data; boundary=another", "MULTIPART/FORM-DATA; BOUNDARY=X",
    ],
)  # fmt: skip
def test_the_boundary_is_recognised_from_the_body(content_type: str | None) -> None:
    body = form(part('content-disposition: form-data; name="f"; filename="a.wav"', WAV))
    assert audio_part(body, content_type)[0] == WAV


@pytest.mark.parametrize(
    "file_name",
    [
        '"with ; boundary=\\" inside.wav"', '"it\'s "quoted" twice.wav"', "bare.wav", '"Gespr\xe4ch.wav"', '""',
        "*=UTF-8''a.wav",
    ],
)  # fmt: skip
def test_a_file_name_in_any_form_or_code_page_is_no_hindrance(file_name: str) -> None:
    equals = "" if file_name.startswith("*=") else "="
    body = form(part(f'Content-Disposition: form-data; name="f"; filename{equals}{file_name}', WAV))
    assert audio_part(body, "multipart/form-data; boundary=X")[0] == WAV


def test_a_binary_part_without_a_file_name_is_taken_when_no_part_has_one() -> None:
    body = form(
        part('Content-Disposition: form-data; name="locale"', b"en-us"),
        part('Content-Disposition: form-data; name="audio"', WAV),
    )
    assert audio_part(body, "multipart/form-data; boundary=X")[0] == WAV


def test_a_part_without_headers_is_read() -> None:
    body = b"--X\r\n\r\n" + WAV + b"\r\n--X--\r\n"
    assert audio_part(body, "multipart/form-data; boundary=X") == (WAV, None)


def test_a_preamble_and_bare_line_feeds_are_read() -> None:
    body = b"This is a message.\n--X\nContent-Disposition: form-data; filename=a\n\n" + WAV + b"\n--X--\n"
    assert audio_part(body, "multipart/mixed; boundary=X")[0] == WAV


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data, multipart/form-data", "multipart/form-data; boundary=X", None],
)
@pytest.mark.parametrize("body", [WAV, b"", b"-", b"--", b"--\r\n", b"---- a text ----\r\n", b"\x2d\x2d\x01\x00" * 50])
def test_a_body_that_is_not_multipart_comes_back_untouched(body: bytes, content_type: str | None) -> None:
    assert audio_part(body, content_type) == (body, content_type)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"--X--\r\n", "headers do not end"),
        (part("Content-Disposition: form-data; filename=a", WAV), "ends before its closing boundary"),
        (form(part("Content-Disposition: form-data; filename=a", WAV))[:-8], "ends before its closing boundary"),
        (b"--X\r\nContent-Disposition: form-data; filename=a\r\n", "headers do not end"),
        (b"--X\r\nContent-Type: " + b"a" * 20_000 + b"\r\n\r\n", "headers do not end"),
        (form(part('Content-Disposition: form-data; name="a"', b"text")), "has 1 part(s), but none of them is a file"),
        (form(*[part('Content-Disposition: form-data; name="a"', b"")] * (MAX_PARTS + 1)), "more than 32 parts"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(BodyNotUnderstood) as refusal:
        audio_part(body, "multipart/form-data; boundary=X")
    assert reason in str(refusal.value)


def test_an_empty_file_is_an_empty_body() -> None:
    body = form(part("Content-Disposition: form-data; filename=a", b""))
    assert audio_part(body, "multipart/form-data; boundary=X") == (b"", None)


def test_a_longer_line_that_begins_like_the_boundary_is_content() -> None:
    content = b"RIFF\r\n--Xylophone\r\n"
    body = form(part("Content-Disposition: form-data; filename=a", content))
    assert audio_part(body, "multipart/form-data; boundary=X")[0] == content


def file_part(content: bytes, media_type: str = "application/octet-stream", name: str = "f") -> bytes:
    return part(
        f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\nContent-Type: {media_type}', content
    )


@pytest.mark.parametrize(
    "first",
    [
        file_part(b""),
        file_part(b"", "audio/wav"),
        file_part(b'{"locale": "en-US"}', "application/json"),
        file_part('{"name": "Jörg"}'.encode()),
        file_part(b"\xff\xd8\xff\xe0\0\x10JFIF"),
        file_part(b"\0\1\2\3", "image/png"),
        part('Content-Disposition: form-data; name="json"', b"{}") + file_part(b"%PDF-1.7\0\xff"),
    ],
    ids=["empty", "empty audio", "JSON", "JSON unnamed", "JPEG", "a picture's type", "field and PDF"],
)
def test_parts_that_are_no_audio_are_passed_over(first: bytes) -> None:
    body = form(first, file_part(WAV, "audio/wav"))
    assert audio_part(body, "multipart/form-data; boundary=X") == (WAV, "audio/wav")


def test_bare_samples_in_the_first_file_are_taken() -> None:
    body = form(file_part(b"\x01\x00\xfe\xff", "audio/pcm; rate=8000"), file_part(WAV))
    assert audio_part(body, "multipart/form-data; boundary=X") == (b"\x01\x00\xfe\xff", "audio/pcm; rate=8000")


def test_a_recording_without_a_file_name_is_taken_before_a_later_file() -> None:
    body = form(part('Content-Disposition: form-data; name="audio"', WAV), file_part(b"\0\1"))
    assert audio_part(body, "multipart/form-data; boundary=X")[0] == WAV


def test_where_nothing_is_audio_the_first_file_that_is_something_is_answered() -> None:
    body = form(file_part(b""), file_part(b"hello.wav", "text/plain"))
    assert audio_part(body, "multipart/form-data; boundary=X") == (b"hello.wav", "text/plain")
