from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
import soundfile

from shared.audio.reader import Decoded
from shared.domain.errors import (
    AudioFormatUnsupported,
    AudioTooLong,
    AudioTooShort,
    AudioUnreadable,
    BodyMissing,
)
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import chunk, file, int16, pcm_format, riff, tone


def read(body: bytes, media_type: str | None = None, *, longest: float = 15.0, strict: bool = False) -> Decoded:
    return decoded(body, media_type, shortest=1.0, longest=longest, strict=strict)


@pytest.mark.parametrize(
    ("container", "encoding", "rate"),
    [
        ("WAV", "PCM_U8", 8_000),
        ("WAV", "PCM_24", 96_000),
        ("WAV", "PCM_32", 11_025),
        ("WAV", "FLOAT", 44_100),
        ("WAV", "DOUBLE", 22_050),
        ("WAV", "ULAW", 8_000),
        ("WAV", "ALAW", 8_000),
        ("WAV", "IMA_ADPCM", 16_000),
        ("WAV", "MS_ADPCM", 16_000),
        ("WAV", "GSM610", 8_000),
        ("WAVEX", "PCM_16", 48_000),
        ("RF64", "PCM_16", 16_000),
        ("W64", "PCM_16", 16_000),
        ("FLAC", "PCM_16", 44_100),
        ("OGG", "VORBIS", 44_100),
        ("OGG", "OPUS", 48_000),
        ("OGG", "OPUS", 16_000),
        ("MP3", "MPEG_LAYER_III", 44_100),
        ("MP3", "MPEG_LAYER_III", 16_000),
        ("AIFF", "PCM_16", 16_000),
        ("CAF", "ALAC_16", 44_100),
        ("AU", "ULAW", 8_000),
    ],
)
def test_a_tone_survives_every_format_and_rate(container: str, encoding: str, rate: int) -> None:
    sent = tone(2.0, rate)

    recording = read(file(sent, rate, container, encoding))

    middle = recording.samples[0, 8_000:24_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert recording.seconds == pytest.approx(2.0, abs=0.1)
    assert int(np.argmax(spectrum)) == 440  # bins of 1 Hz
    assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert (recording.format.encoding, recording.format.sample_rate) == (encoding, rate)


def test_a_recording_at_16_khz_is_not_changed() -> None:
    sent = np.random.default_rng(1).integers(-32768, 32767, 32_000).astype("<i2")

    heard = read(riff(pcm_format(), chunk(b"data", sent.tobytes()))).samples

    assert np.array_equal(heard[0] * 32768, sent)


def test_headerless_pcm_is_16_khz_16_bit_mono() -> None:
    sent = tone(2.0)

    recording = read(int16(sent), "audio/wav; codecs=audio/pcm")

    assert np.allclose(recording.samples[0], sent, atol=1e-4)
    assert str(recording.format) == "headerless PCM, PCM_16, 16000 Hz, mono"


def test_headerless_pcm_of_odd_length_is_refused() -> None:
    with pytest.raises(AudioUnreadable, match="odd length of 32,001 bytes"):
        read(int16(tone(1.0)) + b"\x01", "audio/wav")


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_channels_stay_apart(rate: int) -> None:
    left, right = tone(2.0, rate, frequency=300), tone(2.0, rate, frequency=500)

    heard = read(file(np.stack([left, right], axis=1), rate))

    assert np.allclose(heard.samples[0, 100:-100], tone(2.0, frequency=300)[100:-100], atol=1e-3)
    assert np.allclose(heard.samples[1, 100:-100], tone(2.0, frequency=500)[100:-100], atol=1e-3)
    assert heard.format.channels == 2


def test_clipping_is_told_by_channel() -> None:
    loud = np.clip(tone(2.0, amplitude=2.0), -1.0, 1.0)

    clipped = read(file(np.stack([tone(2.0), loud], axis=1))).clipped

    assert clipped.shape == (2, 32_000)
    assert not clipped[0].any()
    assert float(clipped[1].mean()) == pytest.approx(2 / 3, abs=0.03)


def test_one_sample_is_too_short_and_says_how_short() -> None:
    with pytest.raises(AudioTooShort) as refusal:
        read(file(np.array([0.5], dtype=np.float32)))

    assert refusal.value.seconds == 1 / 16_000


def test_a_wav_without_samples_is_too_short_even_without_a_minimum() -> None:
    with pytest.raises(AudioTooShort):
        decoded(file(np.zeros(0, dtype=np.float32)))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_exactly_the_shortest_and_the_longest_length_are_allowed(rate: int) -> None:
    for seconds in (1.0, 3.0):
        body = file(tone(seconds, rate), rate)
        assert decoded(body, shortest=1.0, longest=3.0).seconds == pytest.approx(seconds, abs=1e-3)


def test_ten_minutes_are_refused_by_the_header_with_the_measured_length() -> None:
    body = riff(pcm_format(), chunk(b"data", bytes(600 * 32_000)))

    with pytest.raises(AudioTooLong) as refusal:
        read(body)

    assert str(refusal.value).endswith("The recording has 600.00 seconds.")


@pytest.mark.parametrize(("container", "encoding"), [("MP3", "MPEG_LAYER_III"), ("FLAC", "PCM_16")])
def test_reading_stops_where_the_header_does_not_tell_the_length(container: str, encoding: str) -> None:
    body = bytearray(file(tone(5.0), container=container, encoding=encoding))
    if container == "FLAC":  # total samples unknown, as in a stream written to a pipe
        body[21] &= 0xF0
        body[22:26] = bytes(4)

    with pytest.raises(AudioTooLong, match=r"more than 3\.00 seconds"):
        read(bytes(body), longest=3.0)


def test_a_flac_stream_of_unknown_length_is_read_to_its_end() -> None:
    body = bytearray(file(tone(5.0), container="FLAC"))
    body[21] &= 0xF0
    body[22:26] = bytes(4)

    assert read(bytes(body)).seconds == 5.0


def test_a_small_file_that_unpacks_to_an_hour_costs_only_the_allowed_seconds() -> None:
    packed = io.BytesIO()
    with soundfile.SoundFile(packed, "w", 48_000, 1, "PCM_16", format="FLAC") as target:
        for _ in range(60):
            target.write(np.zeros(48_000 * 60, dtype=np.int16))
    body = bytearray(packed.getvalue())
    body[21] &= 0xF0
    body[22:26] = bytes(4)

    tracemalloc.start()
    try:
        with pytest.raises(AudioTooLong):
            read(bytes(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 32 * 1024 * 1024  # an hour is 691 MB


def test_many_channels_at_a_high_rate_may_last_less() -> None:
    body = bytearray(file(np.zeros((192_000, 8), dtype=np.float32), 192_000, "FLAC"))
    body[22:26] = (19 * 192_000).to_bytes(4, "big")  # total samples, of which one second is there

    with pytest.raises(AudioTooLong) as refusal:
        read(bytes(body), longest=300.0)

    assert (refusal.value.seconds, refusal.value.maximum_seconds) == (19.0, 18.75)


def test_a_damaged_flac_is_refused() -> None:
    body = bytearray(file(np.random.default_rng(1).uniform(-0.5, 0.5, 32_000).astype(np.float32), container="FLAC"))
    body[20_000:24_000] = bytes(4_000)

    with pytest.raises(AudioUnreadable, match="The FLAC data cannot be decoded"):
        read(bytes(body))


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (b"fLaC", "The FLAC data cannot be decoded"),
        (b"OggS\0\2", "The Ogg data cannot be decoded"),
        (b"ID3", "The MP3 data cannot be decoded"),
        (b"caff\0\1", "no description or no data"),
        (b".snd", "The AU data cannot be decoded"),
        (b"FORM\0\0\0\0AIFF", "The AIFF data cannot be decoded"),
        (b"RF64\0\0\0\0WAVE", "no data chunk"),
        (b"\0\0\0\x08ftyp", "no audio track"),
    ],
)
def test_a_signature_without_audio_behind_it_is_refused(signature: bytes, reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=reason):
        read(signature + bytes(200))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float) -> None:
    sent = tone(2.0)
    sent[1_000] = value

    with pytest.raises(AudioUnreadable, match="not finite"):
        read(file(sent, encoding="FLOAT"))


def test_float_samples_on_an_integer_scale_are_refused() -> None:
    with pytest.raises(AudioUnreadable, match="full scale is 1"):
        read(file(tone(2.0) * 32768, encoding="FLOAT"))


def test_a_slight_overshoot_stays_as_it_is() -> None:
    assert float(np.abs(read(file(tone(2.0, amplitude=1.5), encoding="FLOAT")).samples).max()) == pytest.approx(1.5)


@pytest.mark.parametrize("rate", [4_000, 7_999, 192_001, 384_000])
def test_an_unbelievable_rate_is_refused_with_what_was_received(rate: int) -> None:
    with pytest.raises(AudioFormatUnsupported, match=f"Received WAV, PCM_16, {rate} Hz, mono"):
        read(file(tone(2.0, rate), rate))


def test_more_than_eight_channels_are_refused() -> None:
    with pytest.raises(AudioFormatUnsupported, match="9 channels"):
        read(file(np.zeros((32_000, 9), dtype=np.float32)))


def test_clipped_samples_are_found_before_resampling() -> None:
    loud = np.clip(tone(2.0, 48_000, amplitude=2.0), -1.0, 1.0)

    clipped = read(file(loud, 48_000)).clipped

    assert clipped.shape == (1, 32_000)
    assert float(clipped.mean()) == pytest.approx(2 / 3, abs=0.03)  # |2 sin| > 1 for two thirds of the time


def test_a_peak_that_touches_full_scale_is_not_clipping() -> None:
    sent = tone(2.0, frequency=3_000, amplitude=0.5)
    sent[::1_600] = 1.0

    assert not read(file(sent)).clipped.any()


def test_strict_takes_the_retired_services_format_with_and_without_header() -> None:
    assert read(file(tone(2.0)), strict=True).seconds == 2.0
    assert read(int16(tone(2.0)), "audio/wav", strict=True).seconds == 2.0


@pytest.mark.parametrize(
    ("container", "encoding", "rate", "channels"),
    [
        ("WAV", "PCM_16", 44_100, 1),
        ("WAV", "PCM_16", 16_000, 2),
        ("WAV", "PCM_24", 16_000, 1),
        ("WAV", "ULAW", 16_000, 1),
        ("FLAC", "PCM_16", 16_000, 1),
    ],
)
def test_strict_refuses_anything_else_by_what_was_received(
    container: str, encoding: str, rate: int, channels: int
) -> None:
    body = file(np.stack([tone(2.0, rate)] * channels, axis=1), rate, container, encoding)

    with pytest.raises(AudioFormatUnsupported) as refusal:
        read(body, strict=True)

    assert refusal.value.supported == "16Khz 16bit Mono PCM"
    assert refusal.value.received.startswith(f"{container}, {encoding}, {rate} Hz")


def test_no_body() -> None:
    with pytest.raises(BodyMissing):
        read(b"")


def test_neither_samples_nor_masks_show_in_a_representation() -> None:
    assert "array" not in repr(read(file(tone(2.0))))
