"""The bodies that once failed, kept beside the project; each of their kinds is made afresh in the other tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from shared.domain.errors import AudioFormatUnsupported, AudioTooShort, AudioUnreadable, RecordingRefused
from tests.unit.audio.decoding import decoded

FAILING = Path(__file__).resolve().parents[4] / "shared" / "failing"
pytestmark = pytest.mark.skipif(not FAILING.is_dir(), reason="../shared/failing is not here")
HAS_FFMPEG = importlib.util.find_spec("av") is not None


def body(name: str) -> bytes:
    return (FAILING / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("08-bext-odd-unpadded-then-ixml.wav", 2.0),
        ("08-caf-data-size-minus-1.caf", 2.0),
        ("08-flac-cut-off.flac", 3.07),
        ("08-mp3-576-zero-bytes-before.mp3", 3.23),
        ("08-mp3-id3-then-100-zero-bytes.mp3", 3.23),
        ("08-mulaw-bits-16.wav", 4.47),
        ("09-caf-opus.caf", 4.5),
        *([("09-iphone.m4a", 4.48)] if HAS_FFMPEG else []),
    ],
)
def test_is_read(name: str, seconds: float) -> None:
    assert decoded(body(name)).seconds == pytest.approx(seconds, abs=0.02)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("10-vorbis-ordered-codebook.ogg", AudioUnreadable, "The Ogg data cannot be decoded: it is damaged"),
        ("09-g722.wav", AudioFormatUnsupported, r"WAV with G\.722 .*ffmpeg -i recording\.wav"),
        ("09-webm-second-chunk-no-header.webm", AudioUnreadable, r"a later piece of a recording \(WebM\)"),
        *(
            []
            if HAS_FFMPEG
            else [("09-iphone.m4a", AudioFormatUnsupported, "MP4 with AAC; convert it first: ffmpeg -i")]
        ),
    ],
)
def test_is_refused_for_what_it_is(name: str, kind: type[RecordingRefused], message: str) -> None:
    with pytest.raises(kind, match=message):
        decoded(body(name))


def test_the_declared_rate_counts() -> None:
    bare = decoded(body("04-pcm-s16le-8000hz.raw"), "audio/wav; codecs=audio/pcm; samplerate=8000")

    assert np.allclose(bare.samples, decoded(body("04-the-same-8000hz.wav")).samples, atol=1e-3)


def test_a_list_that_goes_nowhere_is_refused_before_it_is_decoded() -> None:
    """A decoder that gets it is ended after its processor time, which is another refusal."""
    with pytest.raises(AudioTooShort):
        decoded(body("01-rf64-list-info-hang.wav"), shortest=1.0)
