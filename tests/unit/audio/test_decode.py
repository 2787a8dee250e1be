"""Every format becomes bounded samples at 16 kHz, or a refusal with what was received or measured."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
import soundfile

from shared.audio.reader import Decoded
from shared.audio.runs import runs
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioTooShort, AudioUnreadable, BodyMissing
from shared.domain.recording import AudioFormat
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import Floats, chunk, file, int16, pcm_format, riff, tone


def read(body: bytes, media_type: str | None = None, *, longest: float = 15.0, strict: bool = False) -> Decoded:
    return decoded(body, media_type, shortest=1.0, longest=longest, strict=strict)


def of_unknown_length(flac: bytes) -> bytes:
    """As in a stream written to a pipe."""
    return flac[:21] + bytes((flac[21] & 0xF0, 0, 0, 0, 0)) + flac[26:]


@pytest.mark.parametrize(
    ("container", "encoding", "rate"),
    [
        ("WAV", "PCM_U8", 8_000), ("WAV", "PCM_24", 96_000), ("WAV", "PCM_32", 11_025), ("WAV", "FLOAT", 44_100),
        ("WAV", "DOUBLE", 22_050), ("WAV", "ULAW", 8_000), ("WAV", "ALAW", 8_000), ("WAV", "IMA_ADPCM", 16_000),
        ("WAV", "MS_ADPCM", 16_000), ("WAV", "GSM610", 8_000), ("WAVEX", "PCM_16", 48_000), ("RF64", "PCM_16", 16_000),
        ("W64", "PCM_16", 16_000), ("FLAC", "PCM_16", 44_100), ("OGG", "VORBIS", 44_100), ("OGG", "OPUS", 48_000),
        ("OGG", "OPUS", 16_000), ("MP3", "MPEG_LAYER_III", 44_100), ("MP3", "MPEG_LAYER_III", 16_000),
        ("AIFF", "PCM_16", 16_000), ("CAF", "ALAC_16", 44_100), ("AU", "ULAW", 8_000),
    ],
)  # fmt: skip
def test_a_tone_survives_every_format_and_rate(container: str, encoding: str, rate: int) -> None:
    recording = read(file(tone(2.0, rate), rate, container, encoding))

    middle = recording.samples[0, 8_000:24_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert recording.seconds == pytest.approx(2.0, abs=0.1)
    assert int(np.argmax(spectrum)) == 440  # bins of 1 Hz
    assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    named = {"WAVEX": "WAV", "OGG": "Ogg"}.get(container, container)
    assert recording.format == AudioFormat(named, encoding, rate, 1)


def test_a_recording_at_16_khz_is_not_changed() -> None:
    sent = np.random.default_rng(1).integers(-32768, 32767, 32_000).astype("<i2")

    heard = read(riff(pcm_format(), chunk(b"data", sent.tobytes()))).samples

    assert np.array_equal(heard[0] * 32768, sent)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_channels_stay_apart_and_are_clipped_apart(rate: int) -> None:
    """|2 sin| is above 1 for two thirds of the time; resampling would take the flat tops below full scale."""
    left, right = tone(2.0, rate, frequency=300), np.clip(tone(2.0, rate, frequency=500, amplitude=2.0), -1.0, 1.0)

    heard = read(file(np.stack([left, right], axis=1), rate))

    assert np.allclose(heard.samples[0, 100:-100], tone(2.0, frequency=300)[100:-100], atol=1e-3)
    assert heard.clipped.shape == heard.samples.shape == (2, 32_000)
    assert not heard.clipped[0].any()
    assert float(heard.clipped[1].mean()) == pytest.approx(2 / 3, abs=0.03)


@pytest.mark.parametrize("block", [1 << 19, 9_973])
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000, 192_000])
def test_clipping_is_told_where_it_is_at_16_khz_whatever_is_decoded_at_a_time(
    rate: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.audio.reader._BLOCK_VALUES", block)
    sent = tone(2.0, rate)
    sent[round(1.25 * rate) : round(1.5 * rate)] = 1.0

    assert runs(read(file(sent, rate)).clipped[0]).tolist() == [[20_000, 24_000]]


def test_a_peak_that_touches_full_scale_is_not_clipping() -> None:
    sent = tone(2.0, frequency=3_000, amplitude=0.5)
    sent[::1_600] = 1.0

    assert not read(file(sent)).clipped.any()


@pytest.mark.parametrize(("samples", "shortest"), [(1, 1.0), (0, 0.0)])
def test_too_short_says_how_short(samples: int, shortest: float) -> None:
    with pytest.raises(AudioTooShort) as refusal:
        decoded(file(np.zeros(samples, np.float32)), shortest=shortest)

    assert refusal.value.seconds == samples / 16_000


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_exactly_the_shortest_and_the_longest_length_are_allowed(rate: int, seconds: float) -> None:
    body = file(tone(seconds, rate), rate)

    assert decoded(body, shortest=1.0, longest=3.0).seconds == pytest.approx(seconds, abs=1e-3)


def test_ten_minutes_are_refused_by_the_header_with_the_measured_length() -> None:
    with pytest.raises(AudioTooLong, match=r"The recording has 600\.00 seconds\.$"):
        read(riff(pcm_format(), chunk(b"data", bytes(600 * 32_000))))


@pytest.mark.parametrize(("container", "encoding"), [("MP3", "MPEG_LAYER_III"), ("FLAC", "PCM_16")])
def test_reading_stops_where_the_header_does_not_tell_the_length(container: str, encoding: str) -> None:
    body = file(tone(5.0), container=container, encoding=encoding)
    if container == "FLAC":
        body = of_unknown_length(body)
        assert read(body).seconds == 5.0

    with pytest.raises(AudioTooLong, match=r"more than 3\.00 seconds"):
        read(body, longest=3.0)


def test_a_small_file_that_unpacks_to_ten_minutes_costs_only_the_allowed_seconds() -> None:
    packed = io.BytesIO()
    with soundfile.SoundFile(packed, "w", 48_000, 1, "PCM_16", format="FLAC") as target:
        for _ in range(10):
            target.write(np.zeros(48_000 * 60, dtype=np.int16))

    tracemalloc.start()
    try:
        with pytest.raises(AudioTooLong):
            read(of_unknown_length(packed.getvalue()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 32 * 1024 * 1024  # ten minutes are 115 MB


def test_many_channels_at_a_high_rate_may_last_less() -> None:
    body = bytearray(file(np.zeros((192_000, 8), dtype=np.float32), 192_000, "FLAC"))
    body[22:26] = (19 * 192_000).to_bytes(4, "big")  # total samples, of which one second is there

    with pytest.raises(AudioTooLong) as refusal:
        read(bytes(body), longest=300.0)

    assert (refusal.value.seconds, refusal.value.maximum_seconds) == (19.0, 18.75)


def damaged_flac() -> bytes:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 32_000).astype(np.float32)
    body = file(noise, container="FLAC")
    return body[:20_000] + bytes(4_000) + body[24_000:]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (damaged_flac(), "The FLAC data cannot be decoded"),
        (b"fLaC" + bytes(200), "The FLAC data cannot be decoded"),
        (b"OggS\0\2" + bytes(200), "The Ogg data cannot be decoded"),
        (b"ID3" + bytes(200), "The MP3 data cannot be decoded"),
        (b"caff\0\1" + bytes(200), "no description or no data"),
        (b".snd" + bytes(200), "The AU data cannot be decoded"),
        (b"FORM\0\0\0\0AIFF" + bytes(200), "The AIFF data cannot be decoded"),
        (b"RF64\0\0\0\0WAVE" + bytes(200), "no data chunk"),
        (b"\0\0\0\x08ftyp" + bytes(200), "no audio track"),
        *((file(np.full(32_000, value, np.float32), encoding="FLOAT"), "not finite") for value in (np.nan, -np.inf)),
        (file(tone(2.0) * 32768, encoding="FLOAT"), "full scale is 1"),
        (int16(tone(2.0)) + b"\x01", "odd length of 64,001 bytes"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=reason):
        read(body, "audio/wav")


def test_flac_behind_two_tags_is_read() -> None:
    """libsndfile skips one."""
    assert decoded(b"ID3\x04\0\0\0\0\0\x05tagtx" * 2 + file(tone(1.0), container="FLAC")).seconds == 1.0


def test_a_slight_overshoot_stays_as_it_is() -> None:
    assert float(np.abs(read(file(tone(2.0, amplitude=1.5), encoding="FLOAT")).samples).max()) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("samples", "rate", "received"),
    [(tone(2.0, rate), rate, f"Received WAV, PCM_16, {rate} Hz, mono") for rate in (4_000, 7_999, 192_001, 384_000)]
    + [(np.zeros((32_000, 9), dtype=np.float32), 16_000, "9 channels")],
)
def test_unbelievable_rates_and_channels_are_refused_with_what_was_received(
    samples: Floats, rate: int, received: str
) -> None:
    with pytest.raises(AudioFormatUnsupported, match=received):
        read(file(samples, rate))


def test_strict_takes_the_retired_services_format_with_and_without_header() -> None:
    assert read(file(tone(2.0)), strict=True).seconds == 2.0
    assert read(int16(tone(2.0)), "audio/wav", strict=True).seconds == 2.0


@pytest.mark.parametrize(
    ("container", "encoding", "rate", "channels"),
    [
        ("WAV", "PCM_16", 44_100, 1), ("WAV", "PCM_16", 16_000, 2), ("WAV", "PCM_24", 16_000, 1),
        ("WAV", "ULAW", 16_000, 1), ("FLAC", "PCM_16", 16_000, 1),
    ],
)  # fmt: skip
def test_strict_refuses_anything_else_by_what_was_received(
    container: str, encoding: str, rate: int, channels: int
) -> None:
    body = file(np.stack([tone(2.0, rate)] * channels, axis=1), rate, container, encoding)

    with pytest.raises(
        AudioFormatUnsupported, match=rf"16Khz 16bit Mono PCM\. Received {container}, {encoding}, {rate}"
    ):
        read(body, strict=True)


def test_no_body_and_no_samples_in_a_representation() -> None:
    with pytest.raises(BodyMissing):
        read(b"")
    assert "array" not in repr(read(file(tone(2.0))))
