from __future__ import annotations

import struct

import numpy as np
import pytest

from shared.audio.decode import Decoded, decode
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable
from tests.unit.audio.encoded import chunk, file, int16, pcm_format, riff, tone

SECOND = tone(1.0)


def read(body: bytes) -> Decoded:
    return decode(body, None, min_seconds=0.0, max_seconds=15.0)


@pytest.mark.parametrize("promised", [0, 0xFFFFFFFF, 0x7FFFFFFF, 40_000])
def test_a_data_size_that_was_never_filled_in_or_promises_too_much_gives_what_is_there(promised: int) -> None:
    body = riff(pcm_format(), chunk(b"data", int16(SECOND), promised))

    assert np.allclose(read(body).samples[0], SECOND, atol=1e-4)


def test_a_truncated_file_gives_what_is_there() -> None:
    body = riff(pcm_format(), chunk(b"data", int16(SECOND)))

    assert read(body[: 44 + 16_001]).seconds == 0.5


def test_chunks_before_and_after_the_data_are_not_heard() -> None:
    listed = chunk(b"LIST", b"INFOISFT\x05\0\0\0Timbr\0")
    body = riff(
        chunk(b"JUNK", b"\0" * 28),
        pcm_format(),
        listed,
        chunk(b"fact", b"\0" * 4),
        chunk(b"data", int16(SECOND)),
        listed,
    )

    assert read(body).seconds == 1.0


def test_an_odd_chunk_without_its_pad_byte() -> None:
    unpadded = b"LIST" + struct.pack("<I", 5) + b"INFO!"
    body = riff(pcm_format(), unpadded, chunk(b"data", int16(SECOND)))

    assert read(body).seconds == 1.0


def test_an_odd_number_of_bytes_drops_the_half_sample() -> None:
    assert len(read(riff(pcm_format(), chunk(b"data", int16(SECOND) + b"\x7f"))).samples[0]) == 16_000


def test_the_extensible_format_with_24_valid_bits_in_32() -> None:
    layout = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16_000, 64_000, 4, 32, 22, 24, 4)
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    samples = (np.rint(SECOND * 0x7FFFFF).astype("<i4") << 8).tobytes()

    heard = read(riff(chunk(b"fmt ", layout + guid), chunk(b"data", samples)))

    assert np.allclose(heard.samples, SECOND, atol=1e-6)


def test_a_wrong_frame_size_in_the_header_is_put_right() -> None:
    layout = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, 0, 0, 16))

    assert read(riff(layout, chunk(b"data", int16(SECOND)))).seconds == 1.0


def test_big_endian_riff() -> None:
    layout = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    samples = np.rint(SECOND * 32767).astype(">i2").tobytes()
    body = b"RIFX\0\0\0\0WAVE" + layout + struct.pack(">4sI", b"data", len(samples)) + samples

    assert np.allclose(read(body).samples[0], SECOND, atol=1e-4)


def test_mp3_inside_wav() -> None:
    frames = file(SECOND, container="MP3", encoding="MPEG_LAYER_III")
    body = riff(pcm_format(tag=0x55, bits=0), chunk(b"data", frames))

    assert read(body).seconds == pytest.approx(1.0, abs=0.1)


def test_another_codec_is_refused_by_its_number() -> None:
    with pytest.raises(AudioFormatUnsupported, match="WAV with codec 0x0161"):
        read(riff(pcm_format(tag=0x0161), chunk(b"data", b"\0" * 100)))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (riff(), "no data chunk"),
        (riff(pcm_format()), "no data chunk"),
        (riff(chunk(b"data", b"\0\0")), "no format chunk"),
        (riff(chunk(b"fmt ", b"\1\0"), chunk(b"data", b"\0\0")), "too short"),
        (riff(pcm_format(channels=0), chunk(b"data", b"\0\0")), "0 channels"),
        (riff(pcm_format(rate=0), chunk(b"data", b"\0\0")), "at 0 Hz"),
        (riff(pcm_format(bits=13 * 8), chunk(b"data", b"\0" * 26)), "samples of 104 bits"),
        (riff(*[chunk(b"JUNK", b"")] * 2_000), "no data chunk"),
    ],
)
def test_a_header_without_sense_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=reason):
        read(body)
