from __future__ import annotations

import base64

import numpy as np
import pytest

from shared.audio.sniff import Container, promises_pcm, sniff
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable, BodyMissing
from tests.unit.audio.encoded import file, int16, tone


@pytest.mark.parametrize(
    ("container", "encoding", "rate", "expected"),
    [
        ("WAV", "PCM_16", 16_000, Container.WAV),
        ("RF64", "PCM_16", 16_000, Container.RF64),
        ("W64", "PCM_16", 16_000, Container.W64),
        ("FLAC", "PCM_16", 16_000, Container.FLAC),
        ("OGG", "VORBIS", 16_000, Container.OGG),
        ("OGG", "OPUS", 16_000, Container.OGG),
        ("MP3", "MPEG_LAYER_III", 44_100, Container.MP3),
        ("MP3", "MPEG_LAYER_III", 16_000, Container.MP3),
        ("MP3", "MPEG_LAYER_III", 8_000, Container.MP3),
        ("AIFF", "PCM_16", 16_000, Container.AIFF),
        ("CAF", "PCM_16", 16_000, Container.CAF),
        ("AU", "ULAW", 8_000, Container.AU),
    ],
)
def test_names_the_container_whatever_the_media_type_says(
    container: str, encoding: str, rate: int, expected: Container
) -> None:
    body = file(tone(1.0, rate), rate, container, encoding)

    assert sniff(body, "application/json") is expected


def test_mp3_behind_an_id3_tag() -> None:
    assert sniff(b"ID3\x04\0\0\0\0\0\0" + file(tone(1.0), container="MP3", encoding="MPEG_LAYER_III"), None) == "MP3"


def test_webm_is_known_by_its_ebml_header() -> None:
    assert sniff(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01", "audio/webm;codecs=opus") is Container.WEBM


@pytest.mark.parametrize(
    "media_type",
    [
        "audio/wav; codecs=audio/pcm",
        "audio/wav",
        "AUDIO/X-WAV",
        "audio/pcm",
        "audio/L16; rate=16000",
        'application/octet-stream; codec="audio/pcm"',
        "audio/wav, audio/wav",
    ],
)
def test_unsigned_bytes_are_pcm_when_the_media_type_promises_it(media_type: str) -> None:
    assert sniff(int16(tone(1.0)), media_type) is Container.PCM


@pytest.mark.parametrize("media_type", [None, "", ";;;", "application/octet-stream", "audio/mpeg", "audio/wavelike"])
def test_unsigned_bytes_without_that_promise_are_refused_as_the_retired_service_did(media_type: str | None) -> None:
    with pytest.raises(AudioUnreadable) as refusal:
        sniff(int16(tone(1.0)), media_type)

    assert str(refusal.value) == (
        "Not a valid WAVE file - No RIFF header. Received 32,000 bytes of no known audio format."
    )


def test_pcm_that_happens_to_begin_like_an_mp3_frame_stays_pcm() -> None:
    samples = np.zeros(16_000, dtype="<i2")
    samples[0], samples[1] = -1025, 0x0090  # FF FB 90 00: a whole layer III header

    assert sniff(samples.tobytes(), "audio/wav") is Container.PCM


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42", "MP4 (AAC)"),
        (b"\0\0\0\x18ftypiso5\0\0\0\0iso5hlsf", "MP4 (AAC)"),
        (b"#!AMR\n\x3c\x91\x17", "AMR"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "WMA (ASF)"),
        (b"RIFF\x10\0\0\0AVI LIST", "a RIFF file that is not WAVE"),
        (b"\xff\xf1\x50\x80\x01\x1f\xfc\x00" * 2, "AAC (ADTS)"),
    ],
)
def test_known_formats_that_are_not_decoded_are_refused_by_name(body: bytes, name: str) -> None:
    with pytest.raises(AudioFormatUnsupported) as refusal:
        sniff(body, "audio/wav")

    assert refusal.value.received == name
    assert "WAV, FLAC, Ogg (Vorbis or Opus), MP3" in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b"my voice.wav", "a 12-byte text body; curl's --data-binary needs @ before a file name"),
        ("Überraschung.wav".encode(), "a 17-byte text body; curl's --data-binary needs @"),
        (b'{"audio": "..."}', "a 16-byte JSON body"),
        (b"<!DOCTYPE html><html></html>", "a 28-byte HTML page"),
        (base64.b64encode(file(tone(0.5))), "21,392-byte base64 text: send the bytes themselves"),
        (b"data:audio/wav;base64," + base64.b64encode(b"RIFF"), "a 30-byte data URI: send the bytes themselves"),
        (b"one two three " * 100, "a 1,400-byte text body."),
    ],
)
def test_text_is_refused_as_what_it_is_even_under_a_wav_label(body: bytes, seen: str) -> None:
    with pytest.raises(AudioUnreadable) as refusal:
        sniff(body, "audio/wav")

    assert str(refusal.value).startswith("Not a valid WAVE file - No RIFF header. Received ")
    assert seen in str(refusal.value)


def test_a_refusal_does_not_repeat_the_text() -> None:
    with pytest.raises(AudioUnreadable) as refusal:
        sniff(b"my voice is my passport", None)

    assert "passport" not in str(refusal.value)


def test_no_bytes_are_a_missing_body() -> None:
    with pytest.raises(BodyMissing):
        sniff(b"", "audio/wav")


def test_only_types_of_pcm_promise_pcm() -> None:
    assert promises_pcm("audio/wave")
    assert not promises_pcm("multipart/form-data, multipart/form-data")
    assert not promises_pcm("audio/ogg; codecs=opus")
