"""Whatever is wrong with a recording: the right 4xx, a sentence with what was measured, and nothing written."""

from __future__ import annotations

import base64
import io
import re
import wave
from collections.abc import Callable

import numpy as np
import pytest

from tests.api.client import Answer, ask_to_identify, verify
from tests.api.operator import Customer, Operator
from tests.api.stored import Stored
from tests.voices import OUTSIDE, PASSPORT, Samples, recording, takes, wav_bytes


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


NO_HEADER = r"Not a valid WAVE file - No RIFF header\. Received"
TOO_SHORT = r"AudioTooShort: Invalid audio length\. Minimum allowed length is 1 second\(s\)\. The recording has"
TOO_LONG = r"AudioTooLong: Invalid audio length\. Maximum allowed length is (15|300) seconds\. The recording has"
NO_SPEECH = r"SpeechNotRecognized: Invalid audio length\. Minimum allowed speech length is 0\.5 second\(s\)\."
PCM = r"Samples without a header are read where Content-Type says what they are: audio/pcm; .*"
BAD_RECORDINGS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty body": (lambda: b"", r"Invalid Http Request: Request body is missing\."),
    "text": (lambda: b"hello.wav", rf"{NO_HEADER} a 9-byte text body; curl's --data-binary needs @.*"),
    "base64": (
        lambda: base64.b64encode(silence(2.0)),
        rf"{NO_HEADER} 85,\d{{3}}-byte base64 text: send the bytes themselves\.",
    ),
    "data URI": (
        lambda: b"data:audio/wav;base64," + base64.b64encode(silence(0.1)),
        rf"{NO_HEADER} a 4,\d{{3}}-byte data URI: .*",
    ),
    "bytes of nothing": (
        lambda: b"\x93" + noise(2.0).tobytes()[:9_999],
        rf"{NO_HEADER} 10,000 bytes of no known audio format\. {PCM}",
    ),
    "WAV truncated in its header": (lambda: silence(2.0)[:30], r"The WAV .*"),
    "WAV truncated in its samples": (lambda: silence(2.0)[:1_644], rf"{TOO_SHORT} 0\.05 seconds\."),
    "one sample": (lambda: silence(1 / 16_000), rf"{TOO_SHORT} 0\.00 seconds\."),
    "no samples": (lambda: silence(0.0), r"AudioTooShort: .* The recording has 0\.00 seconds\."),
    "ten minutes": (lambda: silence(600.0), rf"{TOO_LONG} 600\.00 seconds\."),
    "silence": (lambda: silence(3.0), rf"{NO_SPEECH} The recording has 0\.00 seconds of speech\."),
    "noise": (lambda: wav_bytes(noise(3.0)), rf"{NO_SPEECH} The recording has 0\.\d\d seconds of speech\."),
}


@pytest.fixture(scope="module")
def customer(operator: Operator) -> Customer:
    return operator.customer()


@pytest.fixture(scope="module")
def calls(customer: Customer) -> dict[str, Callable[[bytes], Answer]]:
    """Every way to send a recording, to profiles that exist."""
    verification, identification = customer.verification, customer.identification
    by_phrase, by_speech = verification.enrolled(*takes(PASSPORT)), identification.enrolled(recording(PASSPORT))
    return {
        "enroll a phrase": lambda audio: verification.enroll(by_phrase, audio),
        "enroll speech": lambda audio: identification.enroll(by_speech, audio, "?shortAudio=true"),
        "verify": lambda audio: verify(customer.primary, by_phrase, audio),
        "identify": lambda audio: ask_to_identify(customer.primary, by_speech, audio),
    }


@pytest.mark.parametrize("call", ["enroll a phrase", "enroll speech", "verify", "identify"])
@pytest.mark.parametrize("case", BAD_RECORDINGS)
def test_a_bad_recording_writes_nothing(
    customer: Customer, calls: dict[str, Callable[[bytes], Answer]], stored: Stored, case: str, call: str
) -> None:
    body, expected = BAD_RECORDINGS[case]
    before = stored.of_subscription(customer.subscription_id)
    status, code, message = calls[call](body()).error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(expected, message)
    assert stored.of_subscription(customer.subscription_id) == before


@pytest.mark.parametrize("call", ["enroll a phrase", "verify"])
@pytest.mark.parametrize("text", [OUTSIDE, "my voice is my passport"])
def test_a_refused_phrase_writes_nothing(
    customer: Customer, calls: dict[str, Callable[[bytes], Answer]], stored: Stored, text: str, call: str
) -> None:
    before = stored.of_subscription(customer.subscription_id)
    status, code, message = calls[call](recording(text)).error
    assert (status, code) == (400, "BadRequest")
    assert message.startswith("InvalidPhrase: ")
    assert stored.of_subscription(customer.subscription_id) == before
