from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds
from shared.domain.errors import AudioFormatUnsupported, AudioTooShort, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import Floats, chunk, file, int16, pcm_format, riff, tone

SECOND = tone(1.0)
DATA = chunk(b"data", int16(SECOND))
LISTED = chunk(b"LIST", b"INFOISFT\x05\0\0\0Timbr\0")
BEXT = b"bext" + struct.pack("<I", 603) + bytes(603)


def layout(tag: int, channels: int, rate: int, align: int, bits: int) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, 0, align, bits))


def int24(samples: Floats) -> bytes:
    return np.rint(samples * 0x7FFFFF).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def extensible() -> bytes:
    """24 valid bits in 32."""
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    return chunk(b"fmt ", struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16_000, 64_000, 4, 32, 22, 24, 4) + guid)


def big_endian() -> bytes:
    format = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    samples = np.rint(SECOND * 32767).astype(">i2").tobytes()
    return b"RIFX\0\0\0\0WAVE" + format + struct.pack(">4sI", b"data", len(samples)) + samples


@pytest.mark.parametrize(
    "body",
    [
        *(
            riff(pcm_format(), chunk(b"data", int16(SECOND), promised))
            for promised in (0, 2**32 - 1, 2**31 - 1, 40_000)
        ),
        riff(chunk(b"JUNK", bytes(28)), pcm_format(), LISTED, chunk(b"fact", bytes(4)), DATA, LISTED),
        riff(pcm_format(), b"LIST" + struct.pack("<I", 5) + b"INFO!", DATA),  # odd, without its pad byte
        *(
            riff(pcm_format()) + BEXT + name + struct.pack("<I", 4) + b"<x/>" + DATA
            for name in (b"iXML", b"minf", b"abcd")
        ),
        riff(pcm_format()) + BEXT + DATA,
        riff(pcm_format(), chunk(b"data", int16(SECOND) + b"\x7f")),  # half a sample more
        riff(extensible(), chunk(b"data", (np.rint(SECOND * 0x7FFFFF).astype("<i4") << 8).tobytes())),
        riff(layout(1, 1, 16_000, 0, 16), DATA),  # a frame size that makes no sense
        riff(layout(1, 1, 16_000, 2, 12), DATA),  # 12 valid bits in 16
        riff(layout(1, 1, 16_000, 2, 24), chunk(b"data", int24(SECOND))),  # smaller than a sample
        riff(chunk(b"fmt ", struct.pack("<HHIIH", 1, 1, 16_000, 32_000, 2)), DATA),  # the oldest, of 14 bytes
        big_endian(),
    ],
)
def test_what_recorders_really_write_is_read(body: bytes) -> None:
    heard = decoded(body).samples

    assert heard.shape == (1, 16_000)
    assert np.allclose(heard[0], SECOND, atol=1e-4)


def test_a_truncated_file_gives_what_is_there() -> None:
    assert decoded(riff(pcm_format(), DATA)[: 44 + 16_001]).seconds == 0.5


def test_a_size_of_0_is_meant_where_another_chunk_follows() -> None:
    assert decoded(riff(pcm_format(), chunk(b"data", bytes(32_000), 0))).seconds == 1.0
    with pytest.raises(AudioTooShort, match=r"0\.00 seconds"):
        decoded(riff(pcm_format(), chunk(b"data", b""), LISTED))


@pytest.mark.parametrize("tag", [6, 7])
@pytest.mark.parametrize("align", [1, 2])
def test_g711_has_a_byte_a_sample_whatever_the_header_says(tag: int, align: int) -> None:
    assert decoded(riff(layout(tag, 1, 8_000, align, 16), chunk(b"data", b"\xd5\x55\x80\x00" * 2_000))).seconds == 1.0


def test_mp3_inside_wav() -> None:
    body = riff(pcm_format(tag=0x55, bits=0), chunk(b"data", file(SECOND, container="MP3", encoding="MPEG_LAYER_III")))

    assert decoded(body).seconds == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("tag", "named"),
    [(0x0161, r"WMA \(codec 0x0161\)"), (0x0065, r"G\.722 \(codec 0x0065\)"), (0x7777, "codec 0x7777")],
)
def test_another_codec_is_refused_by_its_name_with_what_to_do(tag: int, named: str) -> None:
    with pytest.raises(AudioFormatUnsupported, match=rf"Received WAV with {named}; convert it first: ffmpeg -i "):
        decoded(riff(pcm_format(tag=tag), chunk(b"data", b"\0" * 100)))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (riff(), "no data chunk"),
        (riff(pcm_format()), "no data chunk"),
        (riff(*[chunk(b"JUNK", b"")] * 2_000, pcm_format(), DATA), "no data chunk"),
        (riff(DATA), "no format chunk"),
        (riff(chunk(b"fmt ", b"\1\0"), DATA), "too short"),
        (riff(pcm_format(channels=0), DATA), "0 channels"),
        (riff(pcm_format(rate=0), DATA), "at 0 Hz"),
        (riff(pcm_format(bits=13 * 8), DATA), "samples of 104 bits"),
    ],
)
def test_a_header_without_sense_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=reason):
        decoded(body)


@pytest.mark.parametrize(
    ("encoding", "bits", "tag"),
    [
        ("PCM_U8", 8, 1), ("PCM_16", 16, 1), ("PCM_24", 24, 1), ("PCM_32", 32, 1), ("FLOAT", 32, 3), ("DOUBLE", 64, 3),
        ("ALAW", 8, 6), ("ULAW", 8, 7),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("order", "endian"), [("<", "LITTLE"), (">", "BIG")])
def test_every_plain_codec_is_read_here_bit_for_bit_as_libsndfile_reads_it(
    encoding: str, bits: int, tag: int, order: str, endian: str
) -> None:
    random, decoders = np.random.default_rng(bits), Decoders(1)
    raw = random.integers(0, 256, 32_000 * bits // 8, dtype=np.uint8).tobytes()
    if tag == 3:
        raw = random.uniform(-1, 1, 32_000).astype(f"{order}f{bits // 8}").tobytes()
    format = struct.pack(f"{order}4sIHHIIHH", b"fmt ", 16, tag, 2, 16_000, 4_000 * bits, bits // 4, bits)
    body = (b"RIFF" if order == "<" else b"RIFX") + bytes(4) + b"WAVE" + format
    body += struct.pack(f"{order}4sI", b"data", len(raw)) + raw

    heard = decode(body, None, Bounds(0.0, 15.0), decoders)

    values, _ = soundfile.read(
        io.BytesIO(raw), dtype="float32", format="RAW", subtype=encoding, samplerate=16_000, channels=2, endian=endian
    )
    assert (heard.format.encoding, heard.format.channels) == (encoding, 2)
    assert np.array_equal(heard.samples, values.T)
    assert decoders.started == 0


@pytest.mark.parametrize("form", [b"RF64", b"BW64"])
@pytest.mark.parametrize("promised", [None, 0, 10**18, 0xFFFFFFFF])
def test_long_wav_counts_in_64_bits_and_no_further_than_the_body(form: bytes, promised: int | None) -> None:
    samples = int16(SECOND)
    ds64 = struct.pack("<QQQI", 0, len(samples) if promised is None else promised, 0, 0)
    rest = riff(chunk(b"ds64", ds64), pcm_format(), chunk(b"data", samples, 0xFFFFFFFF))
    behind = chunk(b"axml", b"<x/>") if promised is None else b""

    heard = decoded(form + b"\xff\xff\xff\xff" + rest[8:] + behind)

    assert heard.format.container == form.decode()
    assert np.allclose(heard.samples, SECOND, atol=1e-4)


def test_a_chunk_that_goes_nowhere_in_a_long_wav_is_refused_before_it_is_decoded() -> None:
    """libsndfile 1.2.2 never comes back from such a list: its process would be ended, which is another refusal."""
    listed = chunk(b"LIST", b"INFOXXXX" + b"\xf8\xff\xff\xff" + bytes(8))
    rest = riff(chunk(b"ds64", bytes(28)), pcm_format(), listed, chunk(b"data", bytes(72), 0xFFFFFFFF))

    with pytest.raises(AudioTooShort, match=r"0\.00 seconds"):
        decoded(b"RF64\xff\xff\xff\xff" + rest[8:], shortest=1.0)
