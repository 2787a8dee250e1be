"""Opus from phones and browsers that write MP4 or CAF, and the names of what they write besides."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from shared.audio.containers.ogg import opus_file
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import file, opus_packets, tone
from tests.unit.audio.phones import box, caf, description, dops, fragmented, mp4, packet_table, piece

OGG = file(tone(2.0, 48_000), 48_000, "OGG", "OPUS")
HEAD, PACKETS = opus_packets(OGG)
OPUS = description(b"Opus", dops(HEAD))
TABLE, DATA = (b"pakt", packet_table(PACKETS), None), bytes(4) + b"".join(PACKETS)
WRITTEN = {
    "header behind the data": mp4(OPUS, PACKETS),
    "header before the data": mp4(OPUS, PACKETS, moov_first=True),
    "one chunk": mp4(OPUS, PACKETS, chunk=1_000),
    "fragments": fragmented(OPUS, PACKETS),
    "CAF": caf(b"opus", TABLE, (b"data", DATA, None)),
    "CAF with lengths": caf(
        b"opus", (b"pakt", packet_table(PACKETS, frames=True), None), (b"data", DATA, None), frames=0
    ),
    "CAF not closed": caf(b"opus", TABLE, (b"data", DATA, -1)),
}
MP3_IN_MP4A = box(b"esds", bytes(4), b"\x03\x19\0\0\0\x04\x11\x6b\x15", bytes(11))
ENDLESS = struct.pack(">qqii", 10**18, 0, 0, 0)


@pytest.mark.parametrize("body", WRITTEN.values(), ids=WRITTEN)
def test_opus_gives_the_samples_that_it_gives_in_ogg(body: bytes) -> None:
    heard, expected = decoded(body), decoded(OGG)

    whole = expected.samples.shape[1] - 320  # the Ogg file's end is trimmed inside the last packet
    assert heard.format.encoding == "OPUS"
    assert np.allclose(heard.samples[:, :whole], expected.samples[:, :whole], atol=1e-4)


def test_packets_of_one_size_are_told_once() -> None:
    same, size = [PACKETS[10]] * 50, len(PACKETS[10])
    table, data = (b"pakt", packet_table(same, sizes=False), None), (b"data", bytes(4) + b"".join(same), None)

    expected = decoded(opus_file(HEAD, same, "MP4", 15.0)).samples
    for body in (mp4(OPUS, same), fragmented(OPUS, same), caf(b"opus", table, data, packet_bytes=size)):
        assert np.array_equal(decoded(body).samples, expected)


@pytest.mark.parametrize("name", ["header before the data", "fragments", "CAF"])
def test_a_recording_that_breaks_off_gives_what_is_there(name: str) -> None:
    body = WRITTEN[name]

    assert decoded(body[: len(body) * 6 // 10]).seconds == pytest.approx(1.2, abs=0.4)


def test_too_long_is_told_from_the_packets() -> None:
    with pytest.raises(AudioTooLong, match=r"more than 10\.00 seconds"):
        decoded(mp4(OPUS, PACKETS * 10), longest=10.0)


def test_caf_of_unknown_size_is_read_to_its_end() -> None:
    body = file(tone(2.0), container="CAF")
    at = body.index(b"data")

    assert decoded(body[: at + 4] + b"\xff" * 8 + body[at + 12 :]).seconds == 2.0


@pytest.mark.parametrize(
    ("body", "named", "ending"),
    [
        (mp4(description(b"mp4a", b""), PACKETS, brand=b"M4A "), "M4A with AAC", "m4a"),
        (mp4(description(b"mp4a", b""), PACKETS), "MP4 with AAC", "mp4"),
        (mp4(description(b"mp4a", MP3_IN_MP4A), PACKETS), "MP4 with MP3", "mp4"),
        (mp4(description(b"samr", b""), PACKETS, brand=b"3gp4"), "3GP with AMR-NB", "3gp"),
        (mp4(description(b"ac-3", b""), PACKETS, brand=b"qt  "), "QuickTime with AC-3", "mov"),
        (mp4(description(b"\xff\xfe\0z", b""), PACKETS), "MP4 with '", "mp4"),
        (caf(b"aac ", (b"data", bytes(100), None)), "CAF with AAC", "caf"),
    ],
)
def test_another_codec_is_refused_by_name_with_what_to_do(body: bytes, named: str, ending: str) -> None:
    with pytest.raises(AudioFormatUnsupported) as refusal:
        decoded(body)

    assert refusal.value.received.startswith(named)
    assert refusal.value.received.endswith(f"ffmpeg -i recording.{ending} -ar 16000 -c:a pcm_s16le converted.wav")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (WRITTEN["header behind the data"][:2_000], "was cut off before its header"),
        (piece(PACKETS), r"a later piece of a recording \(MP4\)"),
        (mp4(OPUS, []), "no audio packets"),
        (mp4(description(b"Opus", b""), PACKETS), "without its header"),
        (box(b"ftyp", b"isom") + box(b"free", bytes(100)), "no audio track"),
        (box(b"ftyp", b"isom") + box(b"free") * 250_000, "more than 200,000 boxes"),
        (caf(b"opus", (b"data", bytes(100), None)), "without a packet table"),
        (caf(b"opus", (b"pakt", packet_table([]), None), (b"data", bytes(100), None)), "no audio packets"),
        (caf(b"opus", (b"pakt", ENDLESS, None), (b"data", bytes(9), None)), "no audio packets"),
    ],
)
def test_tables_without_sense_are_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=reason):
        decoded(body)
