from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from shared.audio.formats import Container
from shared.audio.sniff import sniff
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import file, int16, tone

MP3 = file(tone(2.0), container="MP3", encoding="MPEG_LAYER_III")
ADTS = b"\xff\xf1\x50\x80\x01\x1f\xfc\x00" * 8
SILENCES = (b"\x55", b"\xd5", b"\xd5\x55", b"\xff", b"\x00")
QUIET_ULAW = np.frombuffer(b"\xff\xfe\xfd\xfb\xfa\xf3\x7b\x7d\x90", np.uint8)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"BW64\xff\xff\xff\xffWAVE", Container.BW64),
        (b"ID3\x04\0\0\0\0\0\x05tagtx" + file(tone(1.0), container="FLAC"), Container.FLAC),
        (file(tone(1.0, 8_000), 8_000, "MP3", "MPEG_LAYER_III"), Container.MP3),
        (b"ID3\x04\0\0\0\0\0\0" + MP3, Container.MP3),
        (b"\0" * 576 + MP3, Container.MP3),
        (b"\0" * 60_000 + MP3, Container.MP3),
        (b"ID3\x03\0\0\0\0\0\x0a" + bytes(110) + MP3, Container.MP3),
        (MP3[100:], Container.MP3),  # in the middle of a frame
        ((b"\xff\xfb\x90\0" + bytes(413) + b"\xff\xfb\x92\0" + bytes(414)) * 4, Container.MP3),  # every other padded
        (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42", Container.MP4),
        (b"\0\1\0\0mdat" + bytes(100), Container.MP4),
        (b"#!AMR\n\x3c\x91\x17", Container.AMR),
        (ADTS, Container.ADTS),
        (b"ID3\x04\0\0\0\0\0\x05tagtx" + ADTS, Container.ADTS),
    ],
)
def test_names_the_container(body: bytes, expected: Container) -> None:
    """Of what ``test_decode.py`` does not decode, or that has no plain signature."""
    assert sniff(body) is expected


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        *((int16(tone(1.0)), kind) for kind in ("audio/wav; codecs=audio/pcm", "AUDIO/X-WAV", "audio/L16; rate=16000")),
        # FF FB 90 00: a whole layer III header
        (np.r_[np.array([-1025, 0x0090], "<i2"), np.zeros(16_000, "<i2")].tobytes(), "audio/wav"),
        (np.random.default_rng(3).choice(QUIET_ULAW, 40_000).tobytes(), "audio/basic"),
        *((silence * 8_000, "audio/x-alaw") for silence in SILENCES),
    ],
)
def test_unsigned_bytes_are_samples_when_the_media_type_promises_it(body: bytes, media_type: str) -> None:
    assert sniff(body) is None
    assert decoded(body, media_type).format.container == "headerless PCM"


@pytest.mark.parametrize("media_type", [None, ";;;", "application/octet-stream", "audio/mpeg"])
def test_unsigned_bytes_without_that_promise_are_refused_as_the_retired_service_did(media_type: str | None) -> None:
    with pytest.raises(AudioUnreadable) as refusal:
        decoded(int16(tone(1.0)), media_type)

    assert str(refusal.value) == (
        "Not a valid WAVE file - No RIFF header. Received 32,000 bytes of no known audio format. Samples without a "
        "header are read where Content-Type says what they are: audio/pcm; rate=16000 (16-bit little-endian mono) or "
        "audio/x-mulaw; rate=8000."
    )


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "WMA (ASF)"),
        (b"RIFF\x10\0\0\0AVI LIST", "a RIFF file that is not WAVE"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "gzip data"),
        (zlib.compress(file(tone(1.0))), "deflate data"),
        (zlib.compress(b"RIFF"), "deflate data"),
        (b"\x28\xb5\x2f\xfd\x04\x58", "zstd data"),
    ],
)
def test_known_formats_that_are_not_decoded_are_refused_by_name(body: bytes, name: str) -> None:
    with pytest.raises(AudioFormatUnsupported, match=r"WAV, FLAC, Ogg \(Vorbis or Opus\), MP3") as refusal:
        sniff(body)

    assert refusal.value.received == name


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b"my voice.wav", "a 12-byte text body; curl's --data-binary needs @ before a file name."),
        ("Überraschung.wav".encode(), "a 17-byte text body; curl's --data-binary needs @ before a file name."),
        (b'{"audio": "..."}', "a 16-byte JSON body: send the bytes of the recording as the body."),
        (b"<!DOCTYPE html><html></html>", "a 28-byte HTML page."),
        (base64.b64encode(file(tone(0.5))), "21,392-byte base64 text: send the bytes themselves."),
        (b"data:audio/wav;base64,UklGRg==", "a 30-byte data URI: send the bytes themselves, without base64."),
        (b"--X\r\nContent-Type: a\r\n\r\n", "a 24-byte multipart body without a recording in it."),
        (b"one two three " * 100, "a 1,400-byte text body."),
        ("aüé".encode() * 280, "a 1,400-byte text body."),  # cut in the middle of a character
    ],
)
def test_text_is_refused_as_what_it_is_without_repeating_it(body: bytes, seen: str) -> None:
    with pytest.raises(AudioUnreadable) as refusal:
        sniff(body)

    assert str(refusal.value) == f"Not a valid WAVE file - No RIFF header. Received {seen}"


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
        sniff(body)
