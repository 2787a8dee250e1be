"""What holds for every body: a recording or a refusal, within bounds."""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audio.containers.ogg import checksum
from shared.domain.errors import TimbreError, TryLater
from shared.http.multipart import audio_part
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import Floats, file, opus_packets, tone, webm
from tests.unit.audio.phones import caf, description, dops, fragmented, mp4, packet_table

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
KINDS = (
    ("WAV", "PCM_16"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("RF64", "PCM_16"), ("RF64", "ULAW"),
    ("W64", "PCM_16"), ("AIFF", "PCM_16"), ("AIFF", "ULAW"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("CAF", "ALAC_24"),
    ("AU", "PCM_16"), ("AU", "ULAW"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
)  # fmt: skip
REAL = {f"{container} {encoding}": file(tone(0.3), 16_000, container, encoding) for container, encoding in KINDS}
HEAD, PACKETS = opus_packets(REAL["OGG OPUS"])
STSD = description(b"Opus", dops(HEAD))
REAL |= {
    "WAV GSM": file(tone(0.3), 8_000, encoding="GSM610"),
    "WebM": webm(HEAD, PACKETS),
    "MP4": mp4(STSD, PACKETS),
    "MP4 in fragments": fragmented(STSD, PACKETS),
    "CAF OPUS": caf(b"opus", (b"pakt", packet_table(PACKETS), None), (b"data", bytes(4) + b"".join(PACKETS), None)),
}
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF)
LONGEST_SECONDS = 3.5
"""Of this thread's processor. The process that decodes has a bound of its own: where that one fails, the refusal is
``TryLater``."""


@pytest.fixture(autouse=True, scope="module")
def no_defect_of_ours() -> Iterator[None]:
    """The caller of a body that meets one is refused; the log alone knows."""
    lines = list[str]()
    log, handler = logging.getLogger("timbre.decoders"), logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    yield
    log.removeHandler(handler)
    assert [line for line in lines if line.startswith("decoder_defect")] == []


def outcome(body: bytes, media_type: str | None) -> None:
    """Decode; nothing but a refusal may come out, soon and short, and a recording must keep the bounds."""
    started, refusal = time.thread_time(), None
    try:
        samples = decoded(*audio_part(body, media_type), longest=1.0).samples
    except TimbreError as raised:
        refusal = raised
    assert time.thread_time() - started < LONGEST_SECONDS
    if refusal is not None:
        assert (isinstance(refusal, TryLater), len(str(refusal)) <= 500) == (False, True)
        return
    assert samples.dtype == np.float32
    assert 0 < samples.shape[1] <= 16_000 + 1
    assert float(np.abs(samples).max()) <= 8.0  # 4 is admitted, and resampling may overshoot it


@settings(max_examples=200, deadline=None)
@given(signature=SIGNATURES, rest=st.binary(max_size=2_000), media_type=MEDIA_TYPES)
def test_any_bytes_are_decoded_or_refused(signature: bytes, rest: bytes, media_type: str | None) -> None:
    outcome(signature + rest, media_type)


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """With one to eight changes, most of them near the beginning, where the headers are."""
    changed = bytearray(body)
    for _ in range(draw(st.integers(1, 8))):
        if len(changed) < 8:
            break
        at = draw(st.integers(0, min(len(changed), 200) - 4) | st.integers(0, len(changed) - 4))
        length = draw(st.integers(1, 64))
        match draw(st.integers(0, 3)):
            case 0:
                changed[at] = draw(st.integers(0, 255))
            case 1:
                struct.pack_into(draw(st.sampled_from(["<I", ">I"])), changed, at, draw(st.sampled_from(EXTREMES)))
            case 2:
                changed[at:at] = changed[at : at + length]
            case _:
                del changed[at : at + length]
    del changed[draw(st.just(len(changed)) | st.integers(0, len(changed))) :]
    return resummed(changed) if draw(st.booleans()) else bytes(changed)


def resummed(ogg: bytearray) -> bytes:
    """With the checksum of each page as its content asks for, so that damage gets through; other files as they are."""
    at = 0
    while ogg[at : at + 4] == b"OggS" and at + 27 <= len(ogg):
        count = ogg[at + 26]
        end = at + 27 + count + sum(ogg[at + 27 : at + 27 + count])
        ogg[at + 22 : at + 26] = bytes(4)
        struct.pack_into("<I", ogg, at + 22, checksum(bytes(ogg[at:end])))
        at = end
    return bytes(ogg)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_damaged_recording_is_decoded_or_refused(name: str, data: st.DataObject) -> None:
    outcome(data.draw(damaged(REAL[name])), None)


@pytest.mark.long_form("ten thousand bodies")
@pytest.mark.parametrize("name", REAL)
@settings(max_examples=500, deadline=None)
@given(data=st.data(), media_type=MEDIA_TYPES)
def test_many_damaged_recordings_are_decoded_or_refused(name: str, data: st.DataObject, media_type: str | None) -> None:
    outcome(data.draw(damaged(REAL[name])), media_type)


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
