from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
import soundfile

from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds, Decoded
from shared.domain.errors import AudioFormatUnsupported, AudioTooShort, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import chunk, file, int16, pcm_format, riff, tone

SECOND = tone(1.0)


def read(body: bytes) -> Decoded:
    return decoded(body)


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


@pytest.mark.parametrize(
    ("tag", "named"),
    [
        (0x0161, r"WMA \(codec 0x0161\)"),
        (0x028F, r"G\.722 \(codec 0x028F\)"),
        (0x0065, r"G\.722 \(codec 0x0065\)"),
        (0x7777, "codec 0x7777"),
    ],
)
def test_another_codec_is_refused_by_its_name_with_what_to_do(tag: int, named: str) -> None:
    with pytest.raises(AudioFormatUnsupported, match=rf"Received WAV with {named}; convert it first: ffmpeg -i "):
        read(riff(pcm_format(tag=tag), chunk(b"data", b"\0" * 100)))


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


@pytest.mark.parametrize(
    ("encoding", "bits", "tag"),
    [
        ("PCM_U8", 8, 1),
        ("PCM_16", 16, 1),
        ("PCM_24", 24, 1),
        ("PCM_32", 32, 1),
        ("FLOAT", 32, 3),
        ("DOUBLE", 64, 3),
        ("ALAW", 8, 6),
        ("ULAW", 8, 7),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_plain_codec_is_read_bit_for_bit_as_libsndfile_reads_it(
    encoding: str, bits: int, tag: int, order: str
) -> None:
    random = np.random.default_rng(bits)
    if tag == 3:
        raw = random.uniform(-1, 1, 32_000).astype(f"{order}f{bits // 8}").tobytes()
    else:
        raw = random.integers(0, 256, 32_000 * bits // 8, dtype=np.uint8).tobytes()
    frame = 2 * bits // 8
    layout = struct.pack(f"{order}4sIHHIIHH", b"fmt ", 16, tag, 2, 16_000, 16_000 * frame, frame, bits)
    body = (b"RIFF" if order == "<" else b"RIFX") + bytes(4) + b"WAVE" + layout
    body += struct.pack(f"{order}4sI", b"data", len(raw)) + raw

    heard = read(body)

    expected, _ = soundfile.read(
        io.BytesIO(raw), dtype="float32", format="RAW", subtype=encoding, samplerate=16_000, channels=2,
        endian="LITTLE" if order == "<" else "BIG",
    )  # fmt: skip
    assert (heard.format.encoding, heard.format.channels) == (encoding, 2)
    assert np.array_equal(heard.samples, expected.T)


def test_nothing_plain_reaches_a_decoder() -> None:
    decoders = Decoders(1)
    for encoding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"):
        for container in ("WAV", "WAVEX", "RF64"):
            body = file(SECOND, 16_000, container, encoding)
            decode(body, None, Bounds(0.0, 15.0), decoders)

    assert decoders.started == 0


@pytest.mark.parametrize("form", [b"RF64", b"BW64"])
@pytest.mark.parametrize("promised", [None, 0, 10**18, 0xFFFFFFFF])
def test_long_wav_counts_in_64_bits_and_no_further_than_the_body(form: bytes, promised: int | None) -> None:
    samples = int16(SECOND)
    ds64 = struct.pack("<QQQI", 0, len(samples) if promised is None else promised, 0, 0)
    rest = riff(chunk(b"ds64", ds64), pcm_format(), chunk(b"data", samples, 0xFFFFFFFF))
    behind = chunk(b"axml", b"<x/>") if promised is None else b""

    heard = read(form + b"\xff\xff\xff\xff" + rest[8:] + behind)

    assert heard.format.container == form.decode()
    assert np.allclose(heard.samples, SECOND, atol=1e-4)


def test_a_chunk_that_goes_nowhere_in_a_long_wav_is_refused_at_once() -> None:
    """libsndfile 1.2.2 never comes back from such a list."""
    listed = chunk(b"LIST", b"INFOXXXX" + b"\xf8\xff\xff\xff" + bytes(8))
    rest = riff(chunk(b"ds64", bytes(28)), pcm_format(), listed, chunk(b"data", bytes(72), 0xFFFFFFFF))
    started = time.perf_counter()

    with pytest.raises(AudioTooShort, match=r"0\.00 seconds"):
        decoded(b"RF64\xff\xff\xff\xff" + rest[8:], shortest=1.0)

    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize("tag", [6, 7])
@pytest.mark.parametrize("align", [1, 2])
def test_g711_has_a_byte_a_sample_whatever_the_header_says(tag: int, align: int) -> None:
    layout = chunk(b"fmt ", struct.pack("<HHIIHH", tag, 1, 8_000, 8_000, align, 16))

    assert read(riff(layout, chunk(b"data", b"\xd5\x55\x80\x00" * 2_000))).seconds == 1.0


@pytest.mark.parametrize("name", [b"iXML", b"minf", b"data", b"abcd"])
def test_a_broadcast_chunk_of_odd_length_without_its_pad_byte(name: bytes) -> None:
    unpadded = b"bext" + struct.pack("<I", 603) + bytes(603)
    between = b"" if name == b"data" else name + struct.pack("<I", 4) + b"<x/>"

    heard = read(riff(pcm_format()) + unpadded + between + chunk(b"data", int16(SECOND)))

    assert heard.seconds == 1.0


def test_the_oldest_layout_of_14_bytes() -> None:
    layout = chunk(b"fmt ", struct.pack("<HHIIH", 1, 1, 16_000, 32_000, 2))

    assert np.allclose(read(riff(layout, chunk(b"data", int16(SECOND)))).samples, SECOND, atol=1e-4)
