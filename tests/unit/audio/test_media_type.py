"""Samples without a header are what the media type says, or refused with the parameter that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from shared.audio.media_type import Layout, declared_layout
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import file, int16, tone

PCM, BIG = Layout("PCM_16", 16_000), Layout("PCM_16", 16_000, big_endian=True)
ULAW, ALAW = Layout("ULAW", 8_000), Layout("ALAW", 8_000)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("audio/wav", PCM),
        ("AUDIO/X-WAV", PCM),
        ("audio/wav; codecs=audio/pcm", PCM),
        ("audio/wav; codecs=audio/pcm; samplerate=8000", Layout("PCM_16", 8_000)),
        ('audio/x-wav;codec="audio/pcm";samplerate=44100', Layout("PCM_16", 44_100)),
        ("audio/wav, audio/wav", PCM),
        ("audio/pcm; Rate=192000; Channels=8", Layout("PCM_16", 192_000, 8)),
        ("audio/pcm; rate=8000; samplerate=8000", Layout("PCM_16", 8_000)),
        ("audio/L16", BIG),
        ("audio/L16; rate=8000; channels=2", Layout("PCM_16", 8_000, 2, big_endian=True)),
        ("audio/l16;rate=16000;endianness=little-endian", PCM),
        ("audio/pcm; bits=16; endian=big", BIG),
        ("audio/basic", ULAW),
        ("audio/PCMU", ULAW),
        ("audio/x-mulaw; rate=16000", Layout("ULAW", 16_000)),
        ("audio/PCMA; channels=2", Layout("ALAW", 8_000, 2)),
        ("audio/wav; codecs=mulaw; rate=8000", ULAW),
        ("audio/wav; codecs=audio/x-alaw", ALAW),
        ("audio/vnd.wave; codec=7", ULAW),
        ('application/octet-stream; codec="audio/pcm"', PCM),
        *((nothing, None) for nothing in ("application/octet-stream", "audio/ogg; codecs=opus", "audio/wavelike")),
        *((nothing, None) for nothing in ("audio/webm;codecs=opus; rate=1", "basic", ";;;", "", None)),
        ("multipart/form-data, multipart/form-data", None),
    ],
)
def test_what_media_types_say(media_type: str | None, expected: Layout | None) -> None:
    assert declared_layout(media_type) == expected


@pytest.mark.parametrize(
    ("media_type", "received"),
    [
        ("audio/pcm; rate=7999", "audio/pcm with rate=7999"),
        ("audio/pcm; samplerate=192001", "audio/pcm with samplerate=192001"),
        ("audio/L16; rate=-8000", "audio/l16 with rate=-8000"),
        ("audio/pcm; rate=16k", "audio/pcm with rate=16k"),
        ("audio/pcm; rate=", "audio/pcm with rate="),
        ("audio/pcm; rate=8000; samplerate=16000", "audio/pcm with rate and samplerate=8000, 16000"),
        ("audio/pcm; channels=0", "audio/pcm with channels=0"),
        ("audio/pcm; channels=9", "audio/pcm with channels=9"),
        ("audio/pcm; bits=24", "audio/pcm with bits=24"),
        ("audio/pcm; endian=middle", "audio/pcm with endian=middle"),
        ("audio/wav; codecs=opus", "audio/wav with codecs=opus"),
        (f"audio/pcm; rate={'9' * 900}", f"audio/pcm with rate={'9' * 31}…"),
    ],
)
def test_what_cannot_be_read_is_refused_with_parameter_and_value(media_type: str, received: str) -> None:
    with pytest.raises(AudioFormatUnsupported) as refusal:
        decoded(int16(tone(1.0)), media_type)

    assert refusal.value.received == received


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 192_000])
def test_declared_samples_are_what_the_same_file_gives(rate: int) -> None:
    wav = file(np.stack([tone(1.0, rate), tone(1.0, rate, 300.0)], axis=1), rate)

    little = decoded(wav[44:], f"audio/pcm; rate={rate}; channels=2")
    big = decoded(np.frombuffer(wav[44:], "<i2").astype(">i2").tobytes(), f"audio/L16; rate={rate}; channels=2")

    assert np.array_equal(little.samples, decoded(wav).samples)
    assert np.array_equal(big.samples, little.samples)
    assert str(little.format) == f"headerless PCM, PCM_16, {rate} Hz, 2 channels"


@pytest.mark.parametrize(("media_type", "encoding"), [("audio/basic", "ULAW"), ("audio/PCMA", "ALAW")])
def test_bare_g711_is_what_the_same_file_gives(media_type: str, encoding: str) -> None:
    heard = decoded(file(tone(1.0, 8_000), 8_000, "RAW", encoding), media_type)

    assert np.array_equal(heard.samples, decoded(file(tone(1.0, 8_000), 8_000, encoding=encoding)).samples)
    assert (heard.format.encoding, heard.format.sample_rate) == (encoding, 8_000)


@pytest.mark.parametrize("media_type", ["audio/pcm; rate=8000", "audio/basic", "audio/pcm; samplerate=7"])
@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_a_header_of_its_own_wins_without_a_word(media_type: str, container: str) -> None:
    assert decoded(file(tone(1.0, 44_100), 44_100, container), media_type).format.sample_rate == 44_100


def test_half_a_frame_is_dropped() -> None:
    assert decoded(int16(tone(1.0)) + b"\0\0", "audio/pcm; channels=2").seconds == 0.5


@pytest.mark.parametrize("media_type", ["audio/pcm; rate=8000", "audio/pcm; channels=2", "audio/basic"])
def test_strict_stays_strict(media_type: str) -> None:
    assert decoded(int16(tone(1.0)), "audio/pcm; rate=16000", strict=True).seconds == 1.0
    with pytest.raises(AudioFormatUnsupported, match="16Khz 16bit Mono PCM"):
        decoded(int16(tone(1.0)), media_type, strict=True)


def test_unknown_bytes_are_told_which_media_type_makes_them_readable() -> None:
    with pytest.raises(AudioUnreadable, match=r"Content-Type says what they are: audio/pcm; rate=16000"):
        decoded(int16(tone(1.0)), "application/octet-stream")
