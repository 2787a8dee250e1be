"""The same recording in every wrapping that clients have used: each must be heard in full."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from tests.api.client import PREFIX, Client, Profiles, operation
from tests.api.said import QUESTION, said
from tests.service import RunningService
from tests.voices import RATE, flite

DOTNET = "Upload----2017-04-18 12:50:28Z"
"""The .NET client's boundary, with spaces and colons, goes in quotes."""


@pytest.fixture(scope="module")
def plain_seconds(service: RunningService) -> float:
    """Seconds of speech in the recording when it is sent as a plain WAV body."""
    return heard(Client(service.url, service.key), said(QUESTION), "application/octet-stream")


def heard(api: Client, body: bytes | Iterable[bytes], content_type: str | None) -> float:
    """Seconds of speech that an enroll finds in the body."""
    identification = Profiles(api, "identification")
    path = f"{PREFIX}{identification.path}/{identification.create()}/enroll?shortAudio=true"
    sent = {"Content-Type": content_type} if content_type else {}
    result: Any = operation(api, api.call("POST", path, body, sent))["processingResult"]
    return float(result["speechTime"])


def form(boundary: str, *parts: tuple[str, bytes]) -> bytes:
    """A multipart body; each part is its header lines and its content."""
    pieces = [f"--{boundary}\r\n{headers}\r\n\r\n".encode() + content + b"\r\n" for headers, content in parts]
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


def pcm() -> bytes:
    return (np.clip(flite(QUESTION), -1, 1) * 32767).astype("<i2").tobytes()


def encoded(container: str, subtype: str, rate: int = RATE, channels: int = 1) -> bytes:
    samples = soxr.resample(flite(QUESTION), RATE, rate, quality="HQ")
    file = io.BytesIO()
    soundfile.write(file, np.stack([samples] * channels, axis=1), rate, format=container, subtype=subtype)
    return file.getvalue()


def wav_with(data_size: int, extra: bytes = b"") -> bytes:
    """A WAV as recorders write it: a data size of its own, chunks before the data."""
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return b"RIFF\xff\xff\xff\xffWAVE" + layout + extra + struct.pack("<4sI", b"data", data_size) + pcm()


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data, multipart/form-data",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "audio/wav; codecs=audio/pcm",
        "audio/mpeg",
        "nonsense",
        None,
    ],
)
def test_a_wav_is_heard_whatever_it_is_called(api: Client, plain_seconds: float, content_type: str | None) -> None:
    assert heard(api, said(QUESTION), content_type) == plain_seconds


@pytest.mark.parametrize("content_type", ["audio/wav; codecs=audio/pcm", "audio/pcm", "audio/wav"])
def test_samples_without_a_header_are_heard_where_the_type_says_so(
    api: Client, plain_seconds: float, content_type: str
) -> None:
    assert heard(api, pcm(), content_type) == pytest.approx(plain_seconds, abs=0.05)


@pytest.mark.parametrize("name", ["Data", "enrollmentData", "verificationData", "identificationData", "file", "x y"])
def test_a_part_is_heard_whatever_its_name(api: Client, plain_seconds: float, name: str) -> None:
    headers = f'Content-Disposition: form-data; name="{name}"; filename="a.wav"\r\nContent-Type: audio/wav'
    body = form("b0undary", (headers, said(QUESTION)))
    assert heard(api, body, "multipart/form-data; boundary=b0undary") == plain_seconds


@pytest.mark.parametrize(
    ("content_type", "part_headers"),
    [
        (
            f'multipart/form-data; boundary="{DOTNET}"',
            'Content-Disposition: form-data; name=Data; filename="testFile_2017-04-18 12:50:28Z"',
        ),
        (
            f"multipart/form-data; boundary={DOTNET}",
            'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: multipart/form-data',
        ),
        ("multipart/form-data", 'Content-Disposition: form-data; name="file"; filename="a.wav"'),
        ("application/octet-stream", 'Content-Disposition: form-data; name="file"; filename="a.wav"'),
    ],
    ids=[".NET", "Android", "no boundary in the header", "no multipart in the header"],
)
def test_the_forms_of_real_clients_are_heard(
    api: Client, plain_seconds: float, content_type: str, part_headers: str
) -> None:
    assert heard(api, form(DOTNET, (part_headers, said(QUESTION))), content_type) == plain_seconds


def test_the_file_among_form_fields_is_heard(api: Client, plain_seconds: float) -> None:
    body = form(
        "b",
        ('Content-Disposition: form-data; name="locale"', b"en-us"),
        ('Content-Disposition: form-data; name="audio"; filename="a.wav"', said(QUESTION)),
    )
    assert heard(api, body, "multipart/form-data; boundary=b") == plain_seconds


def test_a_form_without_a_file_says_so(api: Client) -> None:
    identification = Profiles(api, "identification")
    body = form("b", ('Content-Disposition: form-data; name="locale"', b"en-us"))
    path = f"{identification.path}/{identification.create()}/enroll"
    assert api.post(path, body, "multipart/form-data; boundary=b").error == (
        400,
        "BadRequest",
        "Invalid Http Request: The multipart body has 1 part(s), but none of them is a file.",
    )


@pytest.mark.parametrize("size", [1_000, 4_096, 100_000])
def test_a_chunked_upload_is_heard(api: Client, plain_seconds: float, size: int) -> None:
    def pieces() -> Iterator[bytes]:
        wav = said(QUESTION)
        for start in range(0, len(wav), size):
            yield wav[start : start + size]

    assert heard(api, pieces(), "application/octet-stream") == plain_seconds


@pytest.mark.parametrize(
    ("data_size", "chunk"),
    [
        pytest.param(0xFFFFFFFF, b"", id="endless"),
        pytest.param(0, b"", id="never filled in"),
        pytest.param(0x7FFFFFFF, struct.pack("<4sI4s", b"LIST", 4, b"INFO"), id="with a list chunk"),
    ],
)
def test_the_headers_of_real_recorders_are_heard(
    api: Client, plain_seconds: float, data_size: int, chunk: bytes
) -> None:
    assert heard(api, wav_with(data_size, chunk), "audio/wav") == pytest.approx(plain_seconds, abs=0.05)


@pytest.mark.parametrize(
    ("container", "subtype", "rate", "channels"),
    [
        ("WAV", "PCM_16", 44_100, 2),
        ("WAV", "PCM_24", 48_000, 1),
        ("WAV", "FLOAT", 16_000, 1),
        ("WAV", "ULAW", 8_000, 1),
        ("WAVEX", "PCM_16", 22_050, 2),
        ("FLAC", "PCM_16", 16_000, 1),
        ("OGG", "VORBIS", 44_100, 1),
        ("OGG", "OPUS", 48_000, 2),
        ("MP3", "MPEG_LAYER_III", 44_100, 1),
    ],
)
def test_other_encodings_are_heard(
    api: Client, plain_seconds: float, container: str, subtype: str, rate: int, channels: int
) -> None:
    body = encoded(container, subtype, rate, channels)
    assert heard(api, body, "application/octet-stream") == pytest.approx(plain_seconds, rel=0.1)
