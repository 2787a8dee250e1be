"""The table of formats in docs/recordings.md, row by row against the decoder."""

from __future__ import annotations

import gzip
import importlib.util
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import chunk, element, file, int16, opus_packets, pcm_format, riff, tone, webm
from tests.unit.audio.phones import caf, description, dops, fragmented, mp4, packet_table, piece

PAGE = Path(__file__).resolve().parents[3] / "docs" / "recordings.md"
Sent = tuple[bytes, str | None]

READ, BY_NAME, EXTRA = "read", "400 by name", "with the media extra"
SPEECH = tone(1.0)
MP3 = file(SPEECH, container="MP3", encoding="MPEG_LAYER_III")
HEAD, PACKETS = opus_packets(file(tone(1.0, 48_000), 48_000, "OGG", "OPUS"))
OPUS = description(b"Opus", dops(HEAD))
ENCODINGS = {
    "PCM of 8 bits": "PCM_U8", "PCM of 16 bits": "PCM_16", "PCM of 24 bits": "PCM_24", "PCM of 32 bits": "PCM_32",
    "float of 32 bits": "FLOAT", "float of 64 bits": "DOUBLE", "mu-law": "ULAW", "A-law": "ALAW",
    "IMA ADPCM": "IMA_ADPCM", "Microsoft ADPCM": "MS_ADPCM", "GSM 6.10": "GSM610", "Opus": "OPUS", "Vorbis": "VORBIS",
    "FLAC": "PCM_16", "ALAC": "ALAC_16",
}  # fmt: skip
TAGS = {"G.722": 0x028F, "G.726": 0x64, "G.729": 0x83, "AMR-NB": 0x57, "AAC": 0xFF, "WMA": 0x161, "MP3": 0x55}
FOUR_LETTERS = {"AAC": b"mp4a", "ALAC": b"alac", "AMR-NB": b"samr", "AMR-WB": b"sawb"}
BRANDS = {"MP4": b"isom", "M4A": b"M4A ", "3GP": b"3gp4", "QuickTime": b"qt  "}


def rows() -> list[tuple[str, str, str]]:
    """Container, codec, answer: each pair that the table names."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("<!-- what-can-i-send -->")[1].split("<!-- /what-can-i-send -->")[0]
    found = []
    for line in table.strip().split("\n")[2:]:
        containers, codecs, answer = (cell.strip() for cell in line.strip("|").split("|"))
        found += [(container, codec, answer) for container in containers.split(", ") for codec in spelled_out(codecs)]
    return found


def spelled_out(codecs: str) -> list[str]:
    """``PCM of 8, 16 bits; mu-law`` is three codecs, each with its unit."""
    found: list[str] = []
    for codec in (
        re.split(r"; (?![a-z]+=)", codecs) if "`" not in codecs else re.findall(r"`([^`]+)`|(no type)", codecs)
    ):
        name = codec if isinstance(codec, str) else codec[0] or codec[1]
        many = re.fullmatch(r"(\w+) of ([\d, ]+) bits", name)
        found += [f"{many[1]} of {bits} bits" for bits in many[2].split(", ")] if many else [name]
    return found


def sent(container: str, codec: str) -> Sent:  # noqa: C901  one flat match
    """Such a body, and what it is called."""
    match container:
        case "none":
            return int16(SPEECH) if "law" not in codec else file(SPEECH, container="RAW", encoding="ULAW"), (
                None if codec == "no type" else codec
            )
        case "WAV" | "RIFX" | "RF64" | "BW64":
            return wav(container, codec), None
        case "MP4" | "M4A" | "3GP" | "QuickTime":
            return phone(BRANDS[container], codec), None
        case "CAF":
            return in_caf(codec), None
        case "WebM":
            return in_webm(codec), None
        case "ADTS":
            return b"\xff\xf1\x50\x80\x01\x1f\xfc\x00" * 50, "audio/aac"
        case "AMR":
            return {"AMR-NB": b"#!AMR\n\x3c", "AMR-WB": b"#!AMR-WB\n\x44"}[codec] + bytes(60), "audio/amr"
        case "MP3":
            before = {"MP3": b"", "MP3 behind tags or zeros": b"ID3\x03\0\0\0\0\0\x0a" + bytes(200)}
            return before[codec] + MP3 if codec in before else MP3[100:], None
        case "FLAC":
            whole = file(SPEECH, container="FLAC")
            return whole if codec == "FLAC" else whole[: len(whole) * 3 // 4], None
        case "a piece of a recorder":
            later = {"WebM": element("1f43b675", bytes(9)), "MP4": piece(PACKETS), "Ogg": b"OggS\0\0" + bytes(99)}
            return later[codec], None
        case "compressed":
            packed = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": lambda body: b"\x28\xb5\x2f\xfd" + body}
            return packed[codec](file(SPEECH)), "audio/wav"
        case _:
            names = {"Ogg": "OGG", "AIFF": "AIFF", "AU": "AU", "W64": "W64"}
            return file(SPEECH, 16_000, names[container], ENCODINGS[codec]), None


def wav(container: str, codec: str) -> bytes:
    if codec in TAGS:
        return riff(pcm_format(tag=TAGS[codec]), chunk(b"data", MP3))
    body = file(SPEECH, 8_000 if codec == "GSM 6.10" else 16_000, "WAV", ENCODINGS[codec])
    if container == "RIFX":
        return file(SPEECH, 16_000, "WAV", ENCODINGS[codec], endian="BIG")
    return body if container == "WAV" else container.encode() + b"\xff\xff\xff\xff" + body[8:]


def phone(brand: bytes, codec: str) -> bytes:
    if codec == "Opus in fragments":
        return fragmented(OPUS, PACKETS)
    return mp4(OPUS if codec == "Opus" else description(FOUR_LETTERS[codec], b""), PACKETS, brand=brand)


def in_caf(codec: str) -> bytes:
    if codec == "Opus":
        return caf(b"opus", (b"pakt", packet_table(PACKETS), None), (b"data", bytes(4) + b"".join(PACKETS), None))
    if codec == "AAC":
        return caf(b"aac ", (b"data", bytes(100), None))
    body = bytearray(file(SPEECH, 16_000, "CAF", ENCODINGS.get(codec, "PCM_16")))
    if codec == "PCM of unknown length":
        at = body.index(b"data")
        body[at + 4 : at + 12] = b"\xff" * 8
    return bytes(body)


def in_webm(codec: str) -> bytes:
    if codec == "Vorbis":
        return webm(HEAD, PACKETS, codec=b"A_VORBIS")
    if codec == "Opus":
        return webm(HEAD, PACKETS)
    name, bits, raw = {
        "PCM": (b"A_PCM/INT/LIT", b"\x10", int16(SPEECH)),
        "float": (b"A_PCM/FLOAT/IEEE", b"\x20", SPEECH.tobytes()),
    }[codec]
    return webm(b"", [raw[at : at + 6_400] for at in range(0, len(raw), 6_400)], codec=name, bits=bits)


@pytest.mark.parametrize(("container", "codec", "answer"), rows())
def test_the_decoder_answers_as_the_table_says(container: str, codec: str, answer: str) -> None:
    body, media_type = sent(container, codec)

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
    from shared.audio.formats import Container

    named = {container for container, _, _ in rows()} | {"headerless PCM"}

    assert {str(container) for container in Container} <= named
