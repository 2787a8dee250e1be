from __future__ import annotations

import numpy as np
import pytest

from shared.audio.containers.ogg import checksum
from shared.audio.reader import Decoded
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import Floats, block, element, file, opus_packets, tone, webm


def read(body: bytes, longest: float = 15.0) -> Decoded:
    return decoded(body, "audio/webm;codecs=opus", longest=longest)


def ogg(samples: Floats, rate: int = 48_000) -> bytes:
    return file(samples, rate, "OGG", "OPUS")


@pytest.mark.parametrize("live", [True, False], ids=["live stream of unknown sizes", "finished file"])
@pytest.mark.parametrize("groups", [True, False], ids=["block groups", "simple blocks"])
def test_gives_the_same_samples_as_ogg(live: bool, groups: bool) -> None:
    original = ogg(tone(3.0, 48_000))
    head, packets = opus_packets(original)

    heard = read(webm(head, packets, live=live, groups=groups))

    expected = read(original).samples
    assert heard.format.container == "WebM"
    assert heard.seconds == pytest.approx(3.0, abs=0.03)
    whole = expected.shape[1] - 320  # the Ogg file's end is trimmed inside the last packet, which WebM cannot say
    assert np.allclose(heard.samples[:, :whole], expected[:, :whole], atol=1e-5)


def test_stereo_as_chrome_records_it() -> None:
    voice = tone(2.0, 48_000)
    head, packets = opus_packets(ogg(np.stack([voice, voice], axis=1)))

    recording = read(webm(head, packets))

    assert recording.format.channels == 2
    assert recording.seconds == pytest.approx(2.0, abs=0.03)


def test_a_recording_that_breaks_off_gives_what_is_there() -> None:
    body = webm(*opus_packets(ogg(tone(3.0, 48_000))))

    assert read(body[: len(body) // 2]).seconds == pytest.approx(1.5, abs=0.2)


def test_blocks_of_another_track_are_not_heard() -> None:
    head, packets = opus_packets(ogg(tone(1.0, 48_000)))
    body = webm(head, packets) + element("a3", block(b"\xff" * 400, track=2))

    assert read(body).seconds == pytest.approx(1.0, abs=0.03)


def test_too_long_is_told_from_the_packets() -> None:
    head, packets = opus_packets(ogg(tone(2.0, 48_000)))

    with pytest.raises(AudioTooLong, match=r"more than 10\.00 seconds"):
        read(webm(head, packets * 20), longest=10.0)


def test_a_little_too_long_is_told_by_the_decoder() -> None:
    with pytest.raises(AudioTooLong):
        read(webm(*opus_packets(ogg(tone(2.5, 48_000)))), longest=2.0)


def test_another_codec_is_refused_by_name() -> None:
    head, packets = opus_packets(ogg(tone(1.0, 48_000)))

    with pytest.raises(AudioFormatUnsupported, match=r"WebM with Vorbis; convert it first: ffmpeg -i recording\.webm "):
        read(webm(head, packets, codec=b"A_VORBIS"))


def test_laced_blocks_are_refused() -> None:
    head, packets = opus_packets(ogg(tone(1.0, 48_000)))
    laced = webm(head, []) + element("1f43b675", element("a3", block(packets[0], flags=0x82)))

    with pytest.raises(AudioFormatUnsupported, match="laced"):
        read(laced)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (webm(b"OpusHead", []), "no OpusHead"),
        (webm(b"OpusHead\1\1\0\0\0\0\0\0\0\0\0", []), "no audio packets"),
        (b"\x1a\x45\xdf\xa3\x80\x00\x00\x00\x00", "damaged"),
        (b"\x1a\x45\xdf\xa3\xff" + bytes(40), "unknown size where none may be"),
        (b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 400_000, "more than 300,000 elements"),
    ],
)
def test_elements_without_sense_are_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=reason):
        read(body)


def test_an_empty_webm_names_what_is_missing() -> None:
    with pytest.raises(AudioFormatUnsupported, match="WebM with no tracks"):
        read(element("1a45dfa3", b""))


def test_the_page_checksum_is_the_one_libsndfile_writes() -> None:
    page = bytearray(ogg(tone(0.1, 48_000)))
    first = page[: 27 + page[26] + sum(page[27 : 27 + page[26]])]
    written = int.from_bytes(first[22:26], "little")
    first[22:26] = bytes(4)

    assert checksum(bytes(first)) == written
