"""The table of formats in docs/recordings.md, row by row against the decoder."""

from __future__ import annotations

import gzip
import importlib.util
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from shared.audio.formats import Container
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import chunk, element, file, int16, opus_packets, pcm_format, riff, tone, webm
from tests.unit.audio.phones import caf, description, dops, fragmented, mp4, packet_table, piece

PAGE = Path(__file__).resolve().parents[3] / "docs" / "recordings.md"

READ, BY_NAME, EXTRA = "read", "400 by name", "with the media extra"
SPEECH = tone(1.0)
MP3 = file(SPEECH, container="MP3", encoding="MPEG_LAYER_III")
HEAD, PACKETS = opus_packets(file(tone(1.0, 48_000), 48_000, "OGG", "OPUS"))
OPUS = description(b"Opus", dops(HEAD))
ENCODINGS = {
    "PCM of 8 bits": "PCM_U8", "PCM of 16 bits": "PCM_16", "PCM of 24 bits": "PCM_24", "PCM of 32 bits": "PCM_32",
    "float of 32 bits": "FLOAT", "float of 64 bits": "DOUBLE", "mu-law": "ULAW", "A-law": "ALAW",
    "IMA ADPCM": "IMA_ADPCM", "Microsoft ADPCM": "MS_ADPCM", "GSM 6.10": "GSM610", "Opus": "OPUS", "Vorbis": "VORBIS",
    "ALAC": "ALAC_16",
}  # fmt: skip
TAGS = {"G.722": 0x028F, "G.726": 0x64, "G.729": 0x83, "AMR-NB": 0x57, "AAC": 0xFF, "WMA": 0x161, "MP3": 0x55}
FOUR_LETTERS = {"AAC": b"mp4a", "ALAC": b"alac", "AMR-NB": b"samr", "AMR-WB": b"sawb"}
BRANDS = {"MP4": b"isom", "M4A": b"M4A ", "3GP": b"3gp4", "QuickTime": b"qt  "}


def rows() -> list[tuple[str, str, str]]:
    """Container, codec, answer: each pair that the table names."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("<!-- what-can-i-send -->")[1].split("<!-- /what-can-i-send -->")[0]
    named: list[tuple[str, str, str]] = []
    for line in table.strip().split("\n")[2:]:
        containers, codecs, answer = (cell.strip() for cell in line.strip("|").split("|"))
        named += [(container, codec, answer) for container in containers.split(", ") for codec in spelled_out(codecs)]
    return named


def spelled_out(codecs: str) -> list[str]:
    """``PCM of 8, 16 bits; mu-law`` is three codecs, each with its unit; media types stand between backquotes."""
    named: list[str] = []
    for codec in re.split(r"; (?=`|no type|[^`]*$)", codecs):
        many = re.fullmatch(r"(\w+) of ([\d, ]+) bits", codec)
        named += [f"{many[1]} of {bits} bits" for bits in many[2].split(", ")] if many else [codec.strip("`")]
    return named


def sent(container: str, codec: str) -> bytes:
    """Such a body."""
    if container in ("WAV", "RIFX", "RF64", "BW64"):
        return wav(container, codec)
    if container in BRANDS:
        if codec == "Opus in fragments":
            return fragmented(OPUS, PACKETS)
        stsd = OPUS if codec == "Opus" else description(FOUR_LETTERS[codec], b"")
        return mp4(stsd, PACKETS, brand=BRANDS[container])
    if (container, codec) in BODIES:
        return BODIES[container, codec]
    if container == "none":
        return int16(SPEECH) if "law" not in codec else file(SPEECH, container="RAW", encoding="ULAW")
    return file(SPEECH, 16_000, container.upper(), ENCODINGS[codec])


def wav(container: str, codec: str) -> bytes:
    if codec in TAGS:
        return riff(pcm_format(tag=TAGS[codec]), chunk(b"data", MP3))
    endian = "BIG" if container == "RIFX" else "FILE"
    body = file(SPEECH, 8_000 if codec == "GSM 6.10" else 16_000, "WAV", ENCODINGS[codec], endian=endian)
    return body if container in ("WAV", "RIFX") else container.encode() + b"\xff\xff\xff\xff" + body[8:]


def pcm_in_webm(codec: bytes, bits: bytes, raw: bytes) -> bytes:
    return webm(b"", [raw[at : at + 6_400] for at in range(0, len(raw), 6_400)], codec=codec, bits=bits)


FLAC = file(SPEECH, container="FLAC")
BODIES = {
    ("FLAC", "FLAC"): FLAC,
    ("FLAC", "FLAC cut off"): FLAC[: len(FLAC) * 3 // 4],
    ("MP3", "MP3"): MP3,
    ("MP3", "MP3 behind tags or zeros"): b"ID3\x03\0\0\0\0\0\x0a" + bytes(200) + MP3,
    ("MP3", "MP3 from the middle of a frame"): MP3[100:],
    ("CAF", "Opus"): caf(
        b"opus", (b"pakt", packet_table(PACKETS), None), (b"data", bytes(4) + b"".join(PACKETS), None)
    ),
    ("CAF", "AAC"): caf(b"aac ", (b"data", bytes(100), None)),
    ("CAF", "PCM of unknown length"): re.sub(
        rb"data.{8}", b"data" + b"\xff" * 8, file(SPEECH, container="CAF"), count=1
    ),
    ("WebM", "Opus"): webm(HEAD, PACKETS),
    ("WebM", "Vorbis"): webm(HEAD, PACKETS, codec=b"A_VORBIS"),
    ("WebM", "PCM"): pcm_in_webm(b"A_PCM/INT/LIT", b"\x10", int16(SPEECH)),
    ("WebM", "float"): pcm_in_webm(b"A_PCM/FLOAT/IEEE", b"\x20", SPEECH.tobytes()),
    ("ADTS", "AAC"): b"\xff\xf1\x50\x80\x01\x1f\xfc\x00" * 50,
    ("AMR", "AMR-NB"): b"#!AMR\n\x3c" + bytes(60),
    ("AMR", "AMR-WB"): b"#!AMR-WB\n\x44" + bytes(60),
    ("a piece of a recorder", "WebM"): element("1f43b675", bytes(9)),
    ("a piece of a recorder", "MP4"): piece(PACKETS),
    ("a piece of a recorder", "Ogg"): b"OggS\0\0" + bytes(99),
    ("compressed", "gzip"): gzip.compress(file(SPEECH)),
    ("compressed", "deflate"): zlib.compress(file(SPEECH)),
    ("compressed", "zstd"): b"\x28\xb5\x2f\xfd" + file(SPEECH),
}


@pytest.mark.parametrize(("container", "codec", "answer"), rows())
def test_the_decoder_answers_as_the_table_says(container: str, codec: str, answer: str) -> None:
    media_type = codec if container == "none" and "/" in codec else None
    body = sent(container, codec)

    if answer == READ:
        heard = decoded(body, media_type)
        assert heard.seconds > 0.1
        assert float(np.abs(heard.samples).max()) > 0.1
        return
    if answer == EXTRA and importlib.util.find_spec("av"):
        pytest.skip("the extra is installed: tests/unit/audio/decoder/test_ffmpeg.py has real recordings for it")
    with pytest.raises((AudioFormatUnsupported, AudioUnreadable)) as refusal:
        decoded(body, media_type)
    if answer == EXTRA:
        assert codec in str(refusal.value)
        assert "convert it first: ffmpeg -i recording." in str(refusal.value)
    else:
        assert answer == BY_NAME
        named = {"none": "rate" if "rate" in codec else "channels" if "channels" in codec else "Content-Type"}
        assert named.get(container, codec) in str(refusal.value)


def test_the_table_has_every_container() -> None:
    named = {container for container, _, _ in rows()} | {"headerless PCM"}

    assert {str(container) for container in Container} <= named
