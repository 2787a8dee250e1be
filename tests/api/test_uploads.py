"""The same recording in every wrapping that clients have used: each must be heard in full."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from tests.api.client import PREFIX, Client, Profiles, operation
from tests.service import RunningService
from tests.speech.make import RATE
from tests.unit.audio.hostile import vorbis
from tests.voices import QUESTION, flite, recording

DOTNET = "Upload----2017-04-18 12:50:28Z"
"""The .NET client's boundary, with spaces and colons, goes in quotes."""


@pytest.fixture(scope="module")
def plain_seconds(service: RunningService) -> float:
    """Seconds of speech in the recording when it is sent as a plain WAV body."""
    return heard(Client(service.url, service.key), recording(QUESTION), "application/octet-stream")


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
    samples = np.clip(soxr.resample(flite(QUESTION), RATE, rate, quality="HQ"), -1.0, 1.0)
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
    assert heard(api, recording(QUESTION), content_type) == plain_seconds


@pytest.mark.parametrize("content_type", ["audio/wav; codecs=audio/pcm", "audio/pcm", "audio/wav"])
def test_samples_without_a_header_are_heard_where_the_type_says_so(
    api: Client, plain_seconds: float, content_type: str
) -> None:
    assert heard(api, pcm(), content_type) == pytest.approx(plain_seconds, abs=0.05)


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("audio/wav; codecs=audio/pcm; samplerate=8000", "PCM_16"),
        ("audio/pcm; rate=8000", "PCM_16"),
        ("audio/basic", "ULAW"),
        ("audio/PCMA", "ALAW"),
    ],
)
def test_declared_samples_are_heard_as_declared(
    api: Client, plain_seconds: float, content_type: str, encoding: str
) -> None:
    assert heard(api, encoded("RAW", encoding, 8_000), content_type) == pytest.approx(plain_seconds, rel=0.1)


@pytest.mark.parametrize(
    ("content_type", "encoding", "body", "message"),
    [
        ("audio/pcm; rate=7000", None, bytes(3_000), "InvalidAudioFormat: .* Received audio/pcm with rate=7000."),
        ("audio/pcm; channels=9", None, bytes(3_000), "InvalidAudioFormat: .* Received audio/pcm with channels=9."),
        ("audio/wav", "br", b"\x8b\x03\x80\x01\x02" * 99, "Invalid Http Request: The body is br data, as Content-.*"),
        ("audio/wav", "deflate", b"\xcb\x48\xcd\xc9\xc9" * 99, "Invalid Http Request: The body is deflate data.*"),
        ("audio/wav", None, zlib.compress(bytes(99_000)), "InvalidAudioFormat: .* Received deflate data."),
    ],
)
def test_what_cannot_be_read_as_declared_is_400_by_name(
    api: Client, content_type: str, encoding: str | None, body: bytes, message: str
) -> None:
    identification = Profiles(api, "identification")
    path = f"{PREFIX}{identification.path}/{identification.create()}/enroll?shortAudio=true"
    sent = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
    status, code, said_back = api.call("POST", path, body, sent).error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(message, said_back), said_back


def test_a_recording_is_heard_whatever_its_content_encoding_says(api: Client, plain_seconds: float) -> None:
    identification = Profiles(api, "identification")
    path = f"{PREFIX}{identification.path}/{identification.create()}/enroll?shortAudio=true"
    result: Any = operation(api, api.call("POST", path, recording(QUESTION), {"Content-Encoding": "gzip"}))
    assert result["processingResult"]["speechTime"] == plain_seconds


def test_a_body_that_kills_its_decoder_is_400_and_the_next_is_heard(api: Client, plain_seconds: float) -> None:
    identification = Profiles(api, "identification")
    path = f"{PREFIX}{identification.path}/{identification.create()}/enroll?shortAudio=true"
    status, code, said_back = api.call("POST", path, vorbis(1, 20, 20), {"Content-Type": "audio/ogg"}).error
    assert (status, code, said_back) == (400, "BadRequest", "The Ogg data cannot be decoded: it is damaged.")
    assert heard(api, encoded("FLAC", "PCM_16"), None) == plain_seconds


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ('Content-Disposition: form-data; name="a"; filename="a.wav"\r\nContent-Type: audio/wav', b""),
        ('Content-Disposition: form-data; name="json"; filename="blob"\r\nContent-Type: application/json', b"{}"),
    ],
    ids=["empty", "JSON"],
)
def test_a_first_part_that_is_no_audio_is_passed_over(
    api: Client, plain_seconds: float, headers: str, content: bytes
) -> None:
    audio = 'Content-Disposition: form-data; name="b"; filename="b.wav"'
    body = form("b", (headers, content), (audio, recording(QUESTION)))
    assert heard(api, body, "multipart/form-data; boundary=b") == plain_seconds


@pytest.mark.parametrize("name", ["Data", "enrollmentData", "verificationData", "identificationData", "file", "x y"])
def test_a_part_is_heard_whatever_its_name(api: Client, plain_seconds: float, name: str) -> None:
    headers = f'Content-Disposition: form-data; name="{name}"; filename="a.wav"\r\nContent-Type: audio/wav'
    body = form("b0undary", (headers, recording(QUESTION)))
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
    assert heard(api, form(DOTNET, (part_headers, recording(QUESTION))), content_type) == plain_seconds


def test_the_file_among_form_fields_is_heard(api: Client, plain_seconds: float) -> None:
    body = form(
        "b",
        ('Content-Disposition: form-data; name="locale"', b"en-us"),
        ('Content-Disposition: form-data; name="audio"; filename="a.wav"', recording(QUESTION)),
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
        wav = recording(QUESTION)
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
