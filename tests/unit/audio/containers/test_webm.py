from __future__ import annotations

import numpy as np
import pytest

from shared.audio.reader import Decoded
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioUnreadable
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import block, element, file, int16, opus_packets, tone, webm

VOICE = tone(2.0, 48_000)
OGG = file(VOICE, 48_000, "OGG", "OPUS")
HEAD, PACKETS = opus_packets(OGG)
PCM = int16(tone(1.0))


def read(body: bytes, longest: float = 15.0) -> Decoded:
    return decoded(body, "audio/webm;codecs=opus", longest=longest)


@pytest.mark.parametrize("live", [True, False], ids=["live stream of unknown sizes", "finished file"])
@pytest.mark.parametrize("groups", [True, False], ids=["block groups", "simple blocks"])
def test_gives_the_same_samples_as_ogg(live: bool, groups: bool) -> None:
    heard, expected = read(webm(HEAD, PACKETS, live=live, groups=groups)), read(OGG).samples

    whole = expected.shape[1] - 320  # the Ogg file's end is trimmed inside the last packet, which WebM cannot say
    assert heard.format.container == "WebM"
    assert heard.seconds == pytest.approx(2.0, abs=0.03)
    assert np.allclose(heard.samples[:, :whole], expected[:, :whole], atol=1e-5)


def test_stereo_as_chrome_records_it() -> None:
    recording = read(webm(*opus_packets(file(np.stack([VOICE, VOICE], axis=1), 48_000, "OGG", "OPUS"))))

    assert recording.format.channels == 2
    assert recording.seconds == pytest.approx(2.0, abs=0.03)


def test_a_recording_that_breaks_off_gives_what_is_there() -> None:
    body = webm(HEAD, PACKETS)

    assert read(body[: len(body) // 2]).seconds == pytest.approx(1.0, abs=0.2)
    one_less = read(webm(HEAD, PACKETS[:-1]))
    assert np.array_equal(read(body[:-5]).samples, one_less.samples)
    assert one_less.seconds < read(body).seconds


def test_blocks_of_another_track_are_not_heard() -> None:
    assert read(webm(HEAD, PACKETS) + element("a3", block(b"\xff" * 400, track=2))).seconds == pytest.approx(
        2, abs=0.03
    )


@pytest.mark.parametrize(("times", "longest"), [(20, 10.0), (1, 1.5)], ids=["by the packets", "by the decoder"])
def test_too_long(times: int, longest: float) -> None:
    with pytest.raises(AudioTooLong, match=rf"more than {longest:.2f} seconds" if times > 1 else "The recording has 2"):
        read(webm(HEAD, PACKETS * times), longest=longest)


@pytest.mark.parametrize(
    ("body", "received"),
    [
        (webm(HEAD, PACKETS, codec=b"A_VORBIS"), r"WebM with Vorbis; convert it first: ffmpeg -i recording\.webm "),
        (webm(HEAD, []) + element("1f43b675", element("a3", block(PACKETS[0], flags=0x82))), "laced"),
        (element("1a45dfa3", b""), "WebM with no tracks"),
    ],
)
def test_what_is_not_decoded_is_refused_by_name(body: bytes, received: str) -> None:
    with pytest.raises(AudioFormatUnsupported, match=received):
        read(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (webm(b"OpusHead", []), "no OpusHead"),
        (webm(b"OpusHead\1\1\0\0\0\0\0\0\0\0\0", []), "no audio packets"),
        (webm(b"", [], codec=b"A_PCM/INT/LIT", bits=b"\x10"), "no audio packets"),
        (webm(b"", [PCM], codec=b"A_PCM/INT/LIT", bits=b"\x11"), "promises A_PCM/INT/LIT of 17 bits"),
        (b"\x1a\x45\xdf\xa3\x80\x00\x00\x00\x00", "damaged"),
        (b"\x1a\x45\xdf\xa3\xff" + bytes(40), "unknown size where none may be"),
        (b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 400_000, "more than 300,000 elements"),
    ],
)
def test_elements_without_sense_are_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(AudioUnreadable, match=reason):
        read(body)
