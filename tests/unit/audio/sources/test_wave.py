"""A long recording is read second by second, as if it were decoded whole."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
import soundfile
import soxr

from shared.audio.sources.ranges import RangeReader
from shared.audio.sources.wave import RemoteRecordings
from shared.domain.errors import (
    AudioFormatUnsupported,
    AudioTooLong,
    AudioUnreadable,
    ParameterInvalid,
    RecordingRefused,
    SourceChanged,
)
from shared.domain.limits import LONG_RECORDING_SECONDS
from shared.domain.long_operation import ChannelVoice
from tests.recording_host import ETAG, asked, file, serving
from tests.unit.audio.encoded import Floats
from tests.unit.audio.encoded import file as written
from tests.unit.audio.loudness import SOUND

RECORDINGS = RemoteRecordings(SOUND, RangeReader(seconds=5.0))


def noise(seconds: float, rate: int, channels: int = 1) -> Floats:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (round(seconds * rate), channels)).astype(np.float32)


@pytest.mark.parametrize(
    ("rate", "channels", "container", "subtype"),
    [
        (16_000, 1, "WAV", "PCM_16"),
        (16_000, 2, "RF64", "PCM_24"),
        (48_000, 2, "WAV", "FLOAT"),
        (8_000, 1, "WAV", "ULAW"),
        (44_100, 1, "WAVEX", "PCM_16"),
    ],
)
def test_pieces_put_together_are_the_recording_resampled_whole(
    rate: int, channels: int, container: str, subtype: str
) -> None:
    content = written(noise(7.3, rate, channels), rate, container, subtype)
    whole, _ = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    expected = whole if rate == 16_000 else soxr.resample(whole, rate, 16_000, quality="HQ")
    with serving(file(content)) as server:
        wave = RECORDINGS.open(server.url())
        again = RECORDINGS.open(server.url(), wave.etag)
        pieces = [again.samples(*piece) for piece in pairwise((0, 47_000, 96_000, 141_000))]
    assert wave.seconds == pytest.approx(7.3)
    joined = np.concatenate(pieces, axis=1)
    assert joined.shape == (channels, len(expected)) == (channels, wave.length)
    assert np.abs(joined - expected.T).max() < 1e-4


def test_a_range_is_never_larger_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.audio.sources.wave.RANGE_BYTES", 160_000)
    content = written(noise(12.0, 16_000), 16_000)
    with serving(file(content)) as server:
        joined = RECORDINGS.open(server.url()).samples(0, 20 * 16_000)
    assert joined.shape == (1, 12 * 16_000)
    sizes = [last + 1 - first for first, last in map(asked, server.requests[1:])]
    assert max(sizes) <= 160_000
    assert len(sizes) == 4


@pytest.mark.parametrize(("container", "subtype"), [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("AIFF", "PCM_16")])
def test_a_container_that_cannot_be_sliced_is_refused_by_name(container: str, subtype: str) -> None:
    content, refused = written(noise(1.0, 16_000), 16_000, container, subtype), f"(?i)Received {container}, at a URL"
    with serving(file(content)) as server, pytest.raises(AudioFormatUnsupported, match=refused) as raised:
        RECORDINGS.open(server.url())
    assert "convert it first: ffmpeg -i" in str(raised.value)


def test_coded_samples_in_wav_are_refused_by_name() -> None:
    content = written(noise(1.0, 16_000), 16_000, "WAV", "IMA_ADPCM")
    with serving(file(content)) as server, pytest.raises(AudioFormatUnsupported, match="WAV with coded samples"):
        RECORDINGS.open(server.url())


@pytest.mark.parametrize(
    "content", [b"<html>Sign in</html>" * 10, b"{}", bytes(1_000), written(noise(0.0, 16_000), 16_000)]
)
def test_what_is_no_recording_is_refused(content: bytes) -> None:
    with serving(file(content)) as server, pytest.raises(RecordingRefused):
        RECORDINGS.open(server.url())


def test_a_recording_is_too_long_by_its_size_whatever_its_header_says() -> None:
    header = bytearray(written(noise(0.1, 8_000), 8_000, "WAV", "PCM_U8"))[:44]
    header[40:44] = (0xFFFFFFFF).to_bytes(4, "little")
    size = 44 + int((LONG_RECORDING_SECONDS + 1) * 8_000)
    with serving(file(bytes(header) + bytes(size - 44))) as server, pytest.raises(AudioTooLong):
        RECORDINGS.open(server.url())


def test_samples_that_are_no_numbers_are_refused() -> None:
    samples = noise(2.0, 16_000)
    samples[20_000] = np.nan
    with serving(file(written(samples, 16_000, "WAV", "FLOAT"))) as server, pytest.raises(AudioUnreadable):
        RECORDINGS.open(server.url()).samples(0, 32_000)


def test_an_opening_with_an_etag_is_of_that_content() -> None:
    with serving(file(written(noise(1.0, 16_000), 16_000), ETag='"other"')) as server, pytest.raises(SourceChanged):
        RECORDINGS.open(server.url(), ETAG)


def stereo(left: tuple[float, float], right: tuple[float, float], seconds: float) -> bytes:
    """Noise on each channel from and to these seconds, silence elsewhere."""
    samples = np.zeros((round(seconds * 8_000), 2), np.float32)
    for number, (start, end) in enumerate((left, right)):
        span = slice(round(start * 8_000), round(end * 8_000))
        samples[span, number] = np.random.default_rng(number).uniform(-0.5, 0.5, span.stop - span.start)
    return written(samples, 8_000)


@pytest.mark.parametrize(
    ("content", "channel", "voices"),
    [
        (stereo((0.0, 4.0), (4.0, 8.0), 8.0), None, [ChannelVoice(1, (0,)), ChannelVoice(2, (1,))]),
        (stereo((0.0, 4.0), (4.0, 8.0), 8.0), 2, [ChannelVoice(None, (1,))]),
        (stereo((0.0, 4.0), (0.0, 0.0), 8.0), None, [ChannelVoice(None, (0,))]),
        (stereo((0.0, 4.0), (395.0, 400.0), 400.0), None, [ChannelVoice(1, (0,)), ChannelVoice(2, (1,))]),
        (stereo((0.0, 4.0), (198.0, 202.0), 400.0), None, [ChannelVoice(1, (0,)), ChannelVoice(2, (1,))]),
    ],
    ids=["two", "chosen", "one", "second-at-the-end", "second-in-the-middle"],
)
def test_beginning_middle_and_end_tell_which_channels_have_voices(
    content: bytes, channel: int | None, voices: list[ChannelVoice]
) -> None:
    with serving(file(content)) as server:
        wave = RECORDINGS.open(server.url())
        assert wave.voices(channel) == voices
        heard = wave.heard(voices, 16_000, 48_000)
    assert [len(samples) for samples in heard] == [32_000] * len(voices)


def test_a_channel_that_is_not_there_is_refused() -> None:
    with serving(file(stereo((0.0, 1.0), (1.0, 2.0), 2.0))) as server, pytest.raises(ParameterInvalid):
        RECORDINGS.open(server.url()).voices(3)
