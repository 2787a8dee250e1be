"""The same recording in every wrapping that clients have used: each must be heard in full."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np
import pytest
import soundfile
import soxr

from tests.api.client import PREFIX, Answer, Client, Profiles, operation
from tests.speech.make import RATE
from tests.unit.audio.hostile import vorbis
from tests.voices import QUESTION, flite, recording

FILE = 'Content-Disposition: form-data; name="file"; filename="a.wav"'


def enroll(api: Client, body: bytes | Iterable[bytes], headers: Mapping[str, str | None]) -> Answer:
    identification = Profiles(api, "identification")
    path = f"{PREFIX}{identification.path}/{identification.create()}/enroll?shortAudio=true"
    return api.call("POST", path, body, {name: value for name, value in headers.items() if value is not None})


def heard(api: Client, body: bytes | Iterable[bytes], content_type: str | None, **headers: str) -> float:
    """Seconds of speech that an enroll finds in the body."""
    done = operation(api, enroll(api, body, {"Content-Type": content_type, **headers}))
    return float(done["processingResult"]["speechTime"])


@pytest.fixture(scope="module")
def plain_seconds(api: Client) -> float:
    """Seconds of speech in the recording when it is sent as a plain WAV body."""
    return heard(api, recording(QUESTION), "application/octet-stream")


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


def wav() -> bytes:
    return recording(QUESTION)


EXACT, RESAMPLED = 0.0, 0.1
LABELS = (
    "multipart/form-data",
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "audio/wav; codecs=audio/pcm",
    "audio/mpeg",
    "nonsense",
    None,
)
DECLARED = {
    "audio/wav; codecs=audio/pcm; samplerate=8000": "PCM_16",
    "audio/pcm; rate=8000": "PCM_16",
    "audio/basic": "ULAW",
    "audio/PCMA": "ALAW",
}
FORM = "multipart/form-data; boundary=b"
NO_AUDIO = {
    "an empty file": (f"{FILE}\r\nContent-Type: audio/wav", b""),
    "JSON": ('Content-Disposition: form-data; name="j"; filename="blob"\r\nContent-Type: application/json', b"{}"),
    "a field": ('Content-Disposition: form-data; name="locale"', b"en-us"),
}
ENCODINGS = (
    ("WAV", "PCM_16", 44_100, 2),
    ("WAV", "PCM_24", 48_000, 1),
    ("WAV", "FLOAT", 16_000, 1),
    ("WAV", "ULAW", 8_000, 1),
    ("WAVEX", "PCM_16", 22_050, 2),
    ("FLAC", "PCM_16", 16_000, 1),
    ("OGG", "VORBIS", 44_100, 1),
    ("OGG", "OPUS", 48_000, 2),
    ("MP3", "MPEG_LAYER_III", 44_100, 1),
)
Upload = tuple[Callable[[], bytes], str | None, float]
"""A body, its media type, and how far the speech heard in it may be from that of the plain WAV."""
UPLOADS: dict[str, Upload] = {
    **{f"WAV called {label}": (wav, label, EXACT) for label in LABELS},
    **{f"samples called {label}": (pcm, label, 0.01) for label in ("audio/wav; codecs=audio/pcm", "audio/pcm")},
    **{
        label: (partial(encoded, "RAW", encoding, 8_000), label, RESAMPLED) for label, encoding in DECLARED.items()
    },
    **{
        f"behind {name}": (partial(form, "b", part, (FILE, wav())), FORM, EXACT)
        for name, part in NO_AUDIO.items()
    },
    "WAV of an endless size": (partial(wav_with, 0xFFFFFFFF), "audio/wav", 0.01),
    "WAV whose size was never filled in": (partial(wav_with, 0), "audio/wav", 0.01),
    "WAV with a list chunk": (
        partial(wav_with, 0x7FFFFFFF, struct.pack("<4sI4s", b"LIST", 4, b"INFO")), "audio/wav", 0.01,
    ),
    **{" ".join(map(str, encoding)): (partial(encoded, *encoding), None, RESAMPLED) for encoding in ENCODINGS},
}  # fmt: skip


@pytest.mark.parametrize("name", UPLOADS)
def test_a_recording_is_heard_in_full(api: Client, plain_seconds: float, name: str) -> None:
    body, content_type, tolerance = UPLOADS[name]
    assert heard(api, body(), content_type) == pytest.approx(plain_seconds, rel=tolerance, abs=0.0)


def test_a_wav_is_heard_whatever_its_content_encoding_says(api: Client, plain_seconds: float) -> None:
    assert heard(api, wav(), None, **{"Content-Encoding": "gzip"}) == plain_seconds


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
    status, code, seen = enroll(api, body, {"Content-Type": content_type, "Content-Encoding": encoding}).error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(message, seen), seen


def test_a_body_that_kills_its_decoder_is_400_and_the_next_is_heard(api: Client, plain_seconds: float) -> None:
    answer = enroll(api, vorbis(1, 20, 20), {"Content-Type": "audio/ogg"})
    assert answer.error == (400, "BadRequest", "The Ogg data cannot be decoded: it is damaged.")
    assert heard(api, encoded("FLAC", "PCM_16"), None) == plain_seconds


def test_a_form_without_a_file_says_so(api: Client) -> None:
    body = form("b", ('Content-Disposition: form-data; name="locale"', b"en-us"))
    message = "Invalid Http Request: The multipart body has 1 part(s), but none of them is a file."
    answer = enroll(api, body, {"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.error == (400, "BadRequest", message)
