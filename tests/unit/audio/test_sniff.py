from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from shared.audio.formats import Container
from shared.audio.sniff import sniff
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
        "Not a valid WAVE file - No RIFF header. Received 32,000 bytes of no known audio format. Samples without a "
        "header are read where Content-Type says what they are: audio/pcm; rate=16000 (16-bit little-endian mono) or "
        "audio/x-mulaw; rate=8000."
    )


def test_pcm_that_happens_to_begin_like_an_mp3_frame_stays_pcm() -> None:
    samples = np.zeros(16_000, dtype="<i2")
    samples[0], samples[1] = -1025, 0x0090  # FF FB 90 00: a whole layer III header

    assert sniff(samples.tobytes(), "audio/wav") is Container.PCM


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "WMA (ASF)"),
        (b"RIFF\x10\0\0\0AVI LIST", "a RIFF file that is not WAVE"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "gzip data"),
        (zlib.compress(file(tone(1.0))), "deflate data"),
        (zlib.compress(file(tone(1.0)), 9), "deflate data"),
        (zlib.compress(b"RIFF"), "deflate data"),
        (b"\x28\xb5\x2f\xfd\x04\x58", "zstd data"),
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


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42", Container.MP4),
        (b"\0\0\0\x18ftypiso5\0\0\0\0iso5hlsf", Container.MP4),
        (b"\0\1\0\0mdat" + bytes(100), Container.MP4),
        (b"#!AMR\n\x3c\x91\x17", Container.AMR),
        (b"\xff\xf1\x50\x80\x01\x1f\xfc\x00" * 8, Container.ADTS),
        (b"ID3\x04\0\0\0\0\0\x05tagtx" + b"\xff\xf1\x50\x80\x01\x1f\xfc\x00" * 8, Container.ADTS),
        (b"ID3\x04\0\0\0\0\0\x05tagtx" + file(tone(1.0), container="FLAC"), Container.FLAC),
        (b"BW64\xff\xff\xff\xffWAVE", Container.BW64),
    ],
)
def test_names_what_needs_its_own_parser(body: bytes, expected: Container) -> None:
    assert sniff(body, "audio/wav") is expected


@pytest.mark.parametrize("before", [b"", b"\0" * 576, b"ID3\x03\0\0\0\0\0\x0a" + bytes(110), None])
def test_mp3_is_found_behind_tags_and_zeros_and_in_the_middle_of_a_frame(before: bytes | None) -> None:
    mp3 = file(tone(2.0), container="MP3", encoding="MPEG_LAYER_III")

    assert sniff(mp3[100:] if before is None else before + mp3, "audio/wav") is Container.MP3


def test_quiet_mu_law_is_not_taken_for_mp3() -> None:
    quiet = np.random.default_rng(3).choice(np.frombuffer(b"\xff\xfe\xfd\xfb\xfa\xf3\x7b\x7d\x90", np.uint8), 40_000)

    assert sniff(quiet.tobytes(), "audio/basic") is Container.PCM


@pytest.mark.parametrize("silence", [b"\x55", b"\xd5", b"\xd5\x55", b"\xff", b"\x00"])
def test_silence_is_no_text(silence: bytes) -> None:
    assert sniff(silence * 8_000, "audio/x-alaw") is Container.PCM


@pytest.mark.parametrize(
    ("body", "container"),
    [
        (b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff\xe7\x81\x00", "WebM"),
        (b"\xa3\x41\x32\x81\x00\x3c\x80" + bytes(300), "WebM"),
        (b"OggS\0\0" + bytes(300), "Ogg"),
    ],
)
def test_a_later_piece_of_a_recording_says_so(body: bytes, container: str) -> None:
    with pytest.raises(AudioUnreadable, match=rf"a later piece of a recording \({container}\): only the first"):
        sniff(body, "audio/webm")
