"""From the bytes of a request to samples at 16 kHz, channel by channel.

libsndfile does the decoding. Around it stand the bounds: nothing is decoded that is too long by its own header, and
reading stops a moment after the longest allowed length whatever the header says, in blocks, so that a small file that
unpacks to hours costs no more than the allowed seconds.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from shared.audio import wav
from shared.audio.clipping import ClippedRuns
from shared.audio.resample import Resampler
from shared.audio.sniff import SUPPORTED, Container, sniff
from shared.audio.webm import opus_as_ogg
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioTooShort, AudioUnreadable
from shared.domain.recording import SAMPLE_RATE, AudioFormat

STRICT_FORMAT: Final = "16Khz 16bit Mono PCM"
"""Contract (v2.0): the retired service's wording of the one format it took."""

MIN_RATE: Final = 8_000
MAX_RATE: Final = 192_000
"""Hz: from telephone speech, below which the encoder has nothing to go by, to the highest studio rate."""

MAX_CHANNELS: Final = 8

MAX_VALUES: Final = 300 * 48_000 * 2
"""Samples over all channels: five minutes of 48 kHz stereo. Half a megabyte of FLAC can unpack to 16 times that."""

_BLOCK_VALUES: Final = 1 << 21
"""Samples over all channels that are decoded at a time: 8 MB of float32."""

_UNKNOWN_FRAMES: Final = 1 << 62
"""libsndfile's count of frames is near 2^63 when the file does not tell, as in a FLAC stream written to a pipe."""

_LOUDEST: Final = 4.0
"""Full scale is 1.0. Lossy codecs and float mixes overshoot by a few decibels; more is a file on another scale."""

_FORMATS: Final = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "CAF", "AU", "RAW"})
"""libsndfile's names of what it may find behind our own signature check. It knows more formats than are meant here."""


@dataclass(frozen=True)
class Decoded:
    """Every channel of a recording at 16 kHz.

    ``samples`` has shape [channels, n] and may be a transposed view; full scale is 1, which resampling and lossy codecs
    overshoot. ``clipped``, [channels, n], marks where the original samples were at full scale.
    """

    samples: npt.NDArray[np.float32] = field(repr=False)
    clipped: npt.NDArray[np.bool_] = field(repr=False)
    format: AudioFormat

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / SAMPLE_RATE)


class _Bytes(io.BytesIO):
    """Stays where it is when asked to go nowhere: a damaged header can send libsndfile before the first byte.

    An exception could not pass through libsndfile's callback; it would be printed and lost.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Reads without seeking. The base class seeks after each block, which is slow in MP3 and fails in endless FLAC."""

    def seekable(self) -> bool:
        return False


def decode(
    body: bytes, media_type: str | None, *, min_seconds: float, max_seconds: float, strict: bool = False
) -> Decoded:
    """Decode a whole recording within bounds.

    Parameters
    ----------
    body, media_type
        As received. The media type matters only for bytes without any signature (see ``sniff``).
    min_seconds, max_seconds
        Bounds on the recording's length, both allowed. More than ``MAX_VALUES`` samples are too long in any case.
    strict
        Accept only what the retired service did: 16 kHz 16-bit mono PCM, in WAV or headerless.

    Raises
    ------
    BodyMissing
        There are no bytes.
    AudioUnreadable
        No audio, or damaged.
    AudioFormatUnsupported
        Audio that is not accepted; names what was received.
    AudioTooShort, AudioTooLong
        With the measured seconds. Where only decoding tells the length, reading stops at the bound and the error says
        ``at_least``.
    """
    container = sniff(body, media_type)
    try:
        with _opened(container, body, max_seconds) as sound:
            return _decoded(sound, container, min_seconds, max_seconds, strict)
    except soundfile.LibsndfileError as error:
        raise AudioUnreadable(
            f"The {container} data cannot be decoded: it is damaged, cut off, or in an encoding that is not supported."
        ) from error


def _opened(container: Container, body: bytes, max_seconds: float) -> _ForwardOnly:
    if container is Container.PCM:
        if len(body) % 2:
            raise AudioUnreadable(
                f"Headerless PCM has two bytes a sample; the body has an odd length of {len(body):,} bytes."
            )
        return _ForwardOnly(
            _Bytes(body), format="RAW", subtype="PCM_16", samplerate=SAMPLE_RATE, channels=1, endian="LITTLE"
        )
    content = body
    if container is Container.WAV:
        content = wav.mended(body).content
    elif container is Container.WEBM:
        content = opus_as_ogg(body, max_seconds)
    return _ForwardOnly(_Bytes(content))


def _decoded(
    sound: _ForwardOnly, container: Container, min_seconds: float, max_seconds: float, strict: bool
) -> Decoded:
    received = AudioFormat(str(container), sound.subtype, sound.samplerate, sound.channels)
    _check_format(received, sound.format, strict)
    max_seconds = min(max_seconds, MAX_VALUES / (received.sample_rate * received.channels))
    promised = _promised_seconds(sound)
    if promised is not None and promised > max_seconds:
        raise AudioTooLong(promised, max_seconds)
    samples, clipped, seconds = _read(sound, max_seconds)
    if seconds > max_seconds:
        raise AudioTooLong(max_seconds, max_seconds, at_least=True)
    if seconds < min_seconds or not samples.shape[1]:
        raise AudioTooShort(seconds, min_seconds)
    return Decoded(samples, clipped, received)


def _check_format(received: AudioFormat, libsndfile_format: str, strict: bool) -> None:
    if strict and (
        received.container not in (Container.WAV, Container.PCM)
        or (received.encoding, received.sample_rate, received.channels) != ("PCM_16", SAMPLE_RATE, 1)
    ):
        raise AudioFormatUnsupported(str(received), STRICT_FORMAT)
    if libsndfile_format not in _FORMATS:
        raise AudioFormatUnsupported(libsndfile_format, SUPPORTED)
    if not MIN_RATE <= received.sample_rate <= MAX_RATE:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} from {MIN_RATE} to {MAX_RATE} Hz")
    if received.channels > MAX_CHANNELS:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} of at most {MAX_CHANNELS} channels")


def _promised_seconds(sound: _ForwardOnly) -> float | None:
    """The length by the header; ``None`` where it is not told, or only guessed from a bit rate as in MP3."""
    if sound.format == "MP3" or sound.frames >= _UNKNOWN_FRAMES:
        return None
    return float(sound.frames / sound.samplerate)


def _read(sound: _ForwardOnly, max_seconds: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], float]:
    """Samples [channels, n] at 16 kHz, the clipped ones among them, and the seconds read: at most one block beyond the
    bound."""
    rate, channels = sound.samplerate, sound.channels
    longest = int(max_seconds * rate) + 1
    block_frames = min(_BLOCK_VALUES // channels, longest)
    resampler, runs, frames = Resampler(rate, channels), ClippedRuns(rate, channels), 0
    while frames < longest:
        wanted = min(block_frames, longest - frames)
        block = sound.read(wanted, dtype="float32", always_2d=True)
        _check_values(block)
        runs.add(block)
        resampler.add(block)
        frames += len(block)
        if len(block) < wanted:
            break
    samples = resampler.finish()
    return samples.T, runs.mask(len(samples)), frames / rate


def _check_values(block: npt.NDArray[np.float32]) -> None:
    if not len(block):
        return
    peak = max(float(block.max()), -float(block.min()))
    if not np.isfinite(peak):
        raise AudioUnreadable("The recording has samples that are not finite numbers.")
    if peak > _LOUDEST:
        raise AudioUnreadable(f"The recording has samples up to {peak:.4g}; full scale is 1.")
