"""What holds for every body: a recording or a refusal, within bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.errors import TimbreError
from shared.http.multipart import audio_part
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import Floats, file, opus_packets, tone, webm

MEDIA_TYPES = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(["audio/wav", "audio/wav; codecs=audio/pcm", "multipart/form-data"]),
)
SIGNATURES = st.sampled_from([
    b"", b"RIFF\0\0\0\0WAVEfmt ", b"RF64\0\0\0\0WAVE", b"fLaC", b"OggS", b"ID3", b"\xff\xfb\x90\xc4", b"caff\0\1",
    b".snd", b"FORM\0\0\0\0AIFF", b"\x1a\x45\xdf\xa3", b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb",
    b"--X\r\nContent-Type: a\r\n\r\n",
])  # fmt: skip
KINDS = {
    "WAV": "PCM_16", "WAV IMA": "IMA_ADPCM", "AIFF": "PCM_16", "CAF": "ALAC_16", "AU": "PCM_16", "FLAC": "PCM_16",
    "OGG": "VORBIS", "OGG Opus": "OPUS", "MP3": "MPEG_LAYER_III",
}  # fmt: skip
REAL = {kind: file(tone(0.3), 16_000, kind.split()[0], encoding) for kind, encoding in KINDS.items()}
REAL |= {"WebM": webm(*opus_packets(REAL["OGG Opus"])), "WAV GSM": file(tone(0.3), 8_000, encoding="GSM610")}


def outcome(body: bytes, media_type: str | None) -> None:
    """Decode; nothing but a refusal may come out, and a recording must keep the bounds."""
    try:
        samples = decoded(*audio_part(body, media_type), longest=1.0).samples
    except TimbreError:
        return
    assert samples.dtype == np.float32
    assert 0 < samples.shape[1] <= 16_000 + 1
    assert float(np.abs(samples).max()) <= 8.0  # 4 is admitted, and resampling may overshoot it


@settings(max_examples=200, deadline=None)
@given(signature=SIGNATURES, rest=st.binary(max_size=2_000), media_type=MEDIA_TYPES)
def test_any_bytes_are_decoded_or_refused(signature: bytes, rest: bytes, media_type: str | None) -> None:
    outcome(signature + rest, media_type)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_recording_is_decoded_or_refused(name: str, data: st.DataObject) -> None:
    body = bytearray(REAL[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(body), 200) - 1) | st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))

    outcome(bytes(body[: data.draw(st.just(len(body)) | st.integers(0, len(body)))]), None)


@settings(max_examples=60, deadline=None)
@given(
    rate=st.integers(8_000, 96_000),
    encoding=st.sampled_from(["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]),
    channels=st.integers(1, 8),
    frames=st.integers(100, 30_000),
)
def test_any_wav_keeps_its_length_within_a_millisecond(rate: int, encoding: str, channels: int, frames: int) -> None:
    samples: Floats = np.full((frames, channels), 0.25, dtype=np.float32)

    recording = decoded(file(samples, rate, encoding=encoding))

    assert recording.seconds == pytest.approx(frames / rate, abs=1e-3)
    assert (recording.format.sample_rate, recording.format.channels) == (rate, channels)
