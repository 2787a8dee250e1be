"""What FFmpeg reads where the media extra is installed (requirements-media.txt)."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds
from shared.domain.errors import AudioTooLong, AudioUnreadable
from tests.unit.audio.decoding import DECODERS, decoded
from tests.unit.audio.encoded import tone

av: Any = pytest.importorskip("av", reason="the media extra is not installed: pip install -r requirements-media.txt")

FORMATS = {
    "M4A with AAC": ("ipod", "aac", 44_100, "fltp", "AAC"),
    "3GP with AAC": ("3gp", "aac", 16_000, "fltp", "AAC"),
    "ADTS": ("adts", "aac", 48_000, "fltp", "AAC"),
    "M4A with ALAC": ("ipod", "alac", 44_100, "s16p", "ALAC"),
    "AMR": ("amr", "libopencore_amrnb", 8_000, "s16", "AMR_NB"),
    "3GP with AMR": ("3gp", "libopencore_amrnb", 8_000, "s16", "AMR_NB"),
    "WebM with Vorbis": ("matroska", "libvorbis", 44_100, "fltp", "VORBIS"),
}


def encoded(container: str, codec: str, rate: int, samples: str) -> bytes:
    target = io.BytesIO()
    try:
        out = av.open(target, "w", format=container)
        stream = out.add_stream(codec, rate=rate)
    except (ValueError, av.FFmpegError):
        pytest.skip(f"this FFmpeg does not write {codec}")
    stream.layout, stream.format = "mono", samples
    is_amr = codec == "libopencore_amrnb"
    if is_amr:
        stream.bit_rate = 12_200
    values = tone(2.0, rate)
    planes = values if samples.startswith("flt") else np.rint(values * 32_767).astype(np.int16)
    size = stream.codec_context.frame_size or 160 if is_amr else 1_024
    for at in range(0, len(planes), size):
        frame = av.AudioFrame.from_ndarray(planes[None, at : at + size], format=samples, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
    out.close()
    return target.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_a_tone_survives(name: str) -> None:
    container, codec, rate, samples, encoding = FORMATS[name]

    heard = decoded(encoded(container, codec, rate, samples))

    middle = heard.samples[0, 8_000:24_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert heard.seconds == pytest.approx(2.0, abs=0.15)
    assert int(np.argmax(spectrum)) == 440
    assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(0.5 / np.sqrt(2), rel=0.3 if "AMR" in name else 0.1)
    assert (heard.format.encoding, heard.format.sample_rate) == (encoding, rate)


def test_too_long_is_told_by_reading() -> None:
    with pytest.raises(AudioTooLong, match=r"more than 1\.00 seconds"):
        decoded(encoded("adts", "aac", 16_000, "fltp"), longest=1.0)


@pytest.mark.parametrize(("whole", "zeros"), [(1 / 3, 0), (0.05, 10_000)])
def test_a_damaged_file_is_refused_and_costs_no_process(whole: float, zeros: int) -> None:
    body = encoded("ipod", "aac", 16_000, "fltp")
    decoded(body)
    before = DECODERS.started

    with pytest.raises(AudioUnreadable):
        decoded(body[: int(whole * len(body))] + bytes(zeros))

    assert DECODERS.started == before


def test_a_codec_that_no_recorder_writes_is_not_opened() -> None:
    with pytest.raises(AudioUnreadable, match="no audio in a known codec"):
        decoded(encoded("matroska", "ac3", 48_000, "fltp"), "video/webm")


def test_a_process_of_its_own_reads_it_first_time() -> None:
    assert decode(encoded("ipod", "aac", 16_000, "fltp"), None, Bounds(0.0, 15.0), Decoders(1)).seconds > 1.9
