"""Whatever is wrong with a call: the right 4xx, a sentence with what was measured, and nothing written."""

from __future__ import annotations

import base64
import io
import re
import wave
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.api.client import PREFIX, Client, Profiles
from tests.service import RunningService
from tests.voices import PASSPORT, Samples, recording, takes, wav_bytes

Stored = Callable[[], dict[str, str]]


def noise(seconds: float, level: float = 0.05) -> Samples:
    return np.random.default_rng(7).normal(0.0, level, round(seconds * 16_000)).astype(np.float32)


def silence(seconds: float) -> bytes:
    """Written by the standard library, so that ten minutes cost no memory to speak of."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(2 * round(seconds * 16_000)))
    return file.getvalue()


BAD_RECORDINGS = [
    pytest.param(lambda: b"", r"Invalid Http Request: Request body is missing\.", id="empty body"),
    pytest.param(
        lambda: b"hello.wav",
        r"Not a valid WAVE file - No RIFF header\. Received a 9-byte text body; curl's --data-binary needs @.*",
        id="text",
    ),
    pytest.param(
        lambda: base64.b64encode(silence(2.0)),
        r"Not a valid WAVE file - No RIFF header\. Received 85,\d{3}-byte base64 text: send the bytes themselves\.",
        id="base64",
    ),
    pytest.param(
        lambda: b"data:audio/wav;base64," + base64.b64encode(silence(0.1)),
        r"Not a valid WAVE file - No RIFF header\. Received a 4,\d{3}-byte data URI: .*",
        id="data URI",
    ),
    pytest.param(
        lambda: b"\x93" + noise(2.0).tobytes()[:9_999],
        r"Not a valid WAVE file - No RIFF header\. Received 10,000 bytes of no known audio format\. "
        r"Samples without a header are read where Content-Type says what they are: audio/pcm; .*",
        id="bytes of nothing",
    ),
    pytest.param(lambda: silence(2.0)[:30], r"The WAV .*", id="WAV truncated in its header"),
    pytest.param(
        lambda: silence(2.0)[:1_644],
        r"AudioTooShort: Invalid audio length\. Minimum allowed length is 1 second\(s\)\. "
        r"The recording has 0\.05 seconds\.",
        id="WAV truncated in its samples",
    ),
    pytest.param(
        lambda: silence(1 / 16_000),
        r"AudioTooShort: Invalid audio length\. Minimum allowed length is 1 second\(s\)\. "
        r"The recording has 0\.00 seconds\.",
        id="one sample",
    ),
    pytest.param(
        lambda: silence(0.0),
        r"AudioTooShort: .* The recording has 0\.00 seconds\.",
        id="no samples",
    ),
    pytest.param(
        lambda: silence(600.0),
        r"AudioTooLong: Invalid audio length\. Maximum allowed length is (15|300) seconds\. "
        r"The recording has 600\.00 seconds\.",
        id="ten minutes",
    ),
    pytest.param(
        lambda: silence(3.0),
        r"SpeechNotRecognized: Invalid audio length\. Minimum allowed speech length is 0\.5 second\(s\)\. "
        r"The recording has 0\.00 seconds of speech\.",
        id="silence",
    ),
    pytest.param(
        lambda: wav_bytes(noise(3.0)),
        r"SpeechNotRecognized: .* The recording has 0\.\d\d seconds of speech\.",
        id="noise",
    ),
]


@pytest.mark.parametrize(("body", "message"), BAD_RECORDINGS)
def test_a_bad_recording_enrolls_nothing_with_a_phrase(
    verification: Profiles, stored: Stored, body: Callable[[], bytes], message: str
) -> None:
    profile_id = verification.create()
    before = stored()
    status, code, said_back = verification.enroll(profile_id, body()).error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(message, said_back)
    assert stored() == before


@pytest.mark.parametrize(("body", "message"), BAD_RECORDINGS)
def test_a_bad_recording_enrolls_nothing_with_any_speech(
    identification: Profiles, stored: Stored, body: Callable[[], bytes], message: str
) -> None:
    profile_id = identification.create()
    before = stored()
    status, code, said_back = identification.enroll(profile_id, body(), "?shortAudio=true").error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(message, said_back)
    assert stored() == before


@pytest.fixture(scope="module")
def a_speaker(service: RunningService) -> tuple[str, str]:
    """Ids of a verification and an identification profile that are enrolled."""
    client = Client(service.url, service.key)
    return (
        Profiles(client, "verification").enrolled(*takes(PASSPORT)),
        Profiles(client, "identification").enrolled(recording(PASSPORT), query="?shortAudio=true"),
    )


@pytest.mark.parametrize(("body", "message"), BAD_RECORDINGS)
def test_a_bad_recording_is_not_verified(
    api: Client, stored: Stored, a_speaker: tuple[str, str], body: Callable[[], bytes], message: str
) -> None:
    before = stored()
    status, code, said_back = api.post(f"/verify?verificationProfileId={a_speaker[0]}", body()).error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(message, said_back)
    assert stored() == before


@pytest.mark.parametrize(("body", "message"), BAD_RECORDINGS)
def test_a_bad_recording_is_not_identified_and_makes_no_operation(
    api: Client, stored: Stored, a_speaker: tuple[str, str], body: Callable[[], bytes], message: str
) -> None:
    before = stored()
    path = f"/identify?identificationProfileIds={a_speaker[1]}&shortAudio=true"
    status, code, said_back = api.post(path, body()).error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(message, said_back)
    assert stored() == before


@pytest.mark.parametrize("text", ["the quick brown fox jumps over the lazy dog", "my voice is my passport"])
def test_a_refused_phrase_writes_nothing(
    verification: Profiles, stored: Stored, a_speaker: tuple[str, str], text: str
) -> None:
    before = stored()
    verify = verification.client.post(f"/verify?verificationProfileId={a_speaker[0]}", recording(text))
    for answer in (verification.enroll(a_speaker[0], recording(text)), verify):
        assert answer.error[:2] == (400, "BadRequest")
        assert answer.error[2].startswith("InvalidPhrase: ")
    assert stored() == before


def megabytes(count: int) -> Iterator[bytes]:
    piece = bytes(1_000_000)
    for _ in range(count):
        yield piece


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
@pytest.mark.parametrize("count", [40, 200])
def test_a_body_of_many_megabytes_is_refused(
    identification: Profiles, stored: Stored, count: int, announced: bool
) -> None:
    profile_id = identification.create()
    before = stored()
    sent = {"Content-Type": "application/octet-stream"} | (
        {"Content-Length": str(count * 1_000_000)} if announced else {}
    )
    path = f"{PREFIX}{identification.path}/{profile_id}/enroll"
    status, code, message = identification.client.call("POST", path, megabytes(count), sent).error
    assert (status, code) == (413, "RequestEntityTooLarge")
    assert re.search(r"\d+ bytes|Received [\d,]+", message)
    assert stored() == before
    assert identification.client.get(f"{identification.path}/{profile_id}").status == 200, "and the service lives on"
