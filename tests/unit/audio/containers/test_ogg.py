from __future__ import annotations

import pytest

from shared.audio.containers.ogg import checksum, opus_file
from shared.domain.errors import AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import file, opus_packets, tone

OGG = file(tone(0.5, 48_000), 48_000, "OGG", "OPUS")
HEAD, PACKETS = opus_packets(OGG)


def test_the_page_checksum_is_the_one_libsndfile_writes() -> None:
    first = bytearray(OGG[: 27 + OGG[26] + sum(OGG[27 : 27 + OGG[26]])])
    written = int.from_bytes(first[22:26], "little")
    first[22:26] = bytes(4)

    assert checksum(bytes(first)) == written


def test_packets_of_any_size_go_on_as_many_pages_as_they_take() -> None:
    """A packet of more than 255 bytes has several segments, of which a page holds 255."""
    padded = [bytes((packet[0] | 3, 0x41, len(packet) % 200)) + packet[1:] + bytes(200) for packet in PACKETS] * 20

    assert decoded(opus_file(HEAD, PACKETS * 20, "WebM", 60.0)).seconds == pytest.approx(10.0, abs=0.6)
    assert opus_file(HEAD, padded, "WebM", 60.0).count(b"OggS") > 4


@pytest.mark.parametrize(("packets", "reason"), [([], "no audio packets"), ([bytes(65_000)], "that is too large")])
def test_what_makes_no_file_is_refused(packets: list[bytes], reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=f"The WebM file .*{reason}"):
        opus_file(HEAD, packets, "WebM", 60.0)
