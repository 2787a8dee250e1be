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


def file_part(content: bytes, media_type: str = "application/octet-stream", name: str = "f") -> bytes:
    return part(
        f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\nContent-Type: {media_type}', content
    )


NO_AUDIO = {
    "empty": file_part(b""),
    "empty audio": file_part(b"", "audio/wav"),
    "JSON": file_part(b'{"locale": "en-US"}', "application/json"),
    "JSON unnamed": file_part('{"name": "Jörg"}'.encode()),
    "JPEG": file_part(b"\xff\xd8\xff\xe0\0\x10JFIF"),
    "a picture's type": file_part(b"\0\1\2\3", "image/png"),
    "field and PDF": part('Content-Disposition: form-data; name="json"', b"{}") + file_part(b"%PDF-1.7\0\xff"),
}
FIELD = 'Content-Disposition: form-data; name="audio"'
FILE = "Content-Disposition: form-data; filename=a"
LIKE_THE_BOUNDARY = b"RIFF\r\n--Xylophone\r\n"
SAMPLES = b"\x01\x00\xfe\xff"


@pytest.mark.parametrize(
    ("body", "content", "media_type"),
    [
        *(pytest.param(form(first, file_part(WAV, "audio/wav")), WAV, "audio/wav", id=f"after {name}")
          for name, first in NO_AUDIO.items()),
        pytest.param(form(part(FIELD, b"en-us"), part(FIELD, WAV)), WAV, None, id="no file names"),
        pytest.param(form(part(FIELD, WAV), file_part(b"\0\1")), WAV, None, id="a recording before a later file"),
        pytest.param(b"--X\r\n\r\n" + WAV + b"\r\n--X--\r\n", WAV, None, id="no headers"),
        pytest.param(b"A message.\n--X\n" + FILE.encode() + b"\n\n" + WAV + b"\n--X--\n", WAV, None,
                     id="a preamble and bare line feeds"),
        pytest.param(form(part(FILE, b"")), b"", None, id="an empty file"),
        pytest.param(form(part(FILE, LIKE_THE_BOUNDARY)), LIKE_THE_BOUNDARY, None, id="a line like the boundary"),
        pytest.param(form(file_part(SAMPLES, "audio/pcm; rate=8000"), file_part(WAV)), SAMPLES, "audio/pcm; rate=8000",
                     id="bare samples"),
        pytest.param(form(file_part(b""), file_part(b"hello.wav", "text/plain")), b"hello.wav", "text/plain",
                     id="nothing is audio"),
    ],
)  # fmt: skip
def test_the_first_part_that_is_audio_is_taken(body: bytes, content: bytes, media_type: str | None) -> None:
    assert audio_part(body, "multipart/form-data; boundary=X") == (content, media_type)
