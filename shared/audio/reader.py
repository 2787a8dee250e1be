"""From a sound, whatever stands behind it, to bounded samples at 16 kHz, and where they were clipped.

Nothing is read that is too long by its own header, and reading stops a moment after the longest allowed length whatever
the header says, in blocks: an hour of silence in a FLAC of 1 MB costs 32 MB of memory instead of 691.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import soxr

from shared.audio.formats import SUPPORTED, Container
from shared.audio.runs import Mask
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioTooShort, AudioUnreadable
from shared.domain.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MAX_SAMPLES, MIN_SAMPLE_RATE
from shared.domain.recording import SAMPLE_RATE, AudioFormat

_STRICT_FORMAT: Final = "16Khz 16bit Mono PCM"
"""Contract (v2.0): the retired service's wording of the one format it took."""
_BLOCK_VALUES: Final = 1 << 19  # samples over all channels that are decoded at a time: 2 MB of float32
_FULL_SCALE: Final = 0.98
"""Of a clipped sample: mu-law ends at 32124 of 32768 (0.9803), A-law at 32256, unsigned 8 bit at 127 of 128. A peak
that just touches it, as after normalising, has one or two samples there; a flat top has three in a row or more."""
_LOUDEST: Final = 4.0
"""Full scale is 1. Lossy codecs and float mixes overshoot by a few decibels; more is a file on another scale."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Decoded:
    """Every channel of a recording at 16 kHz.

    ``samples`` has shape [channels, n] and may be a transposed view; full scale is 1, which resampling and lossy codecs
    overshoot. ``clipped``, [channels, n], marks where the original samples were at full scale.
    """

    samples: Floats = field(repr=False)
    clipped: Mask = field(repr=False)
    format: AudioFormat

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / SAMPLE_RATE)


@dataclass(frozen=True)
class Bounds:
    """Of a recording's length, both allowed; more than ``MAX_SAMPLES`` are too long in any case. ``strict`` allows only
    what the retired service did: 16 kHz 16-bit mono PCM, in WAV or headerless."""

    min_seconds: float
    max_seconds: float
    strict: bool = False


class Sound(Protocol):
    """An opened recording at its own rate."""

    @property
    def format(self) -> AudioFormat: ...

    @property
    def frames(self) -> int | None:
        """By the header; ``None`` where it is not told, or only guessed from a bit rate as in MP3."""

    def blocks(self, frames: int) -> Iterator[Floats]:
        """In order, of at most ``frames``, shape [frames, channels]."""


def pass_on(sound: Sound, bounds: Bounds, take: Callable[[Floats], object]) -> Mask:
    """Hand the sound over in blocks [n, channels] at 16 kHz, some empty; which of all are clipped, [channels, n].

    Resampling is soxr's HQ: 20 bits, flat to 0.91 of the band. A recording at 16 kHz is passed on bit for bit.
    Raises ``AudioFormatUnsupported``, ``AudioUnreadable``, ``AudioTooShort``, and ``AudioTooLong`` by the header or
    after at most one block beyond the bound.
    """
    check_format(sound.format, strict=bounds.strict)
    rate, channels = sound.format.sample_rate, sound.format.channels
    longest = min(bounds.max_seconds, MAX_SAMPLES / (rate * channels))
    if sound.frames is not None and sound.frames / rate > longest:
        raise AudioTooLong(sound.frames / rate, longest)
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, channels, quality="HQ")
    frames, written, masks = 0, 0, []
    for block in sound.blocks(min(_BLOCK_VALUES // channels, int(longest * rate) + 1)):
        check_values(block)
        masks.append(_clipped(block, rate, frames))
        frames += len(block)
        if frames / rate > longest:
            raise AudioTooLong(longest, longest, at_least=True)
        resampled = stream.resample_chunk(block)
        written += len(resampled)
        take(resampled)
    tail = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
    written += len(tail)
    if frames / rate < bounds.min_seconds or not written:
        raise AudioTooShort(frames / rate, bounds.min_seconds)
    take(tail)
    return np.concatenate(masks)[:written].T


def read(sound: Sound, bounds: Bounds) -> Decoded:
    """All of it. Raises as ``pass_on`` does."""
    blocks: list[Floats] = []
    clipped = pass_on(sound, bounds, blocks.append)
    return Decoded(np.concatenate(blocks).T, clipped, sound.format)


def _clipped(block: Floats, rate: int, start: int) -> Mask:
    """Of the samples at 16 kHz of a block that begins at frame ``start``, shape [n, channels].

    Found before resampling, which turns flat tops into ripples below full scale; a run that is cut by the border of two
    blocks counts as two.
    """
    first, end = (-(-frame * SAMPLE_RATE // rate) for frame in (start, start + len(block)))
    full = np.abs(block) >= _FULL_SCALE
    if not full.any():
        return np.zeros((end - first, block.shape[1]), np.bool_)
    inside = full[:-2] & full[1:-1] & full[2:]  # of three in a row
    flat = np.zeros_like(full)
    for at in range(3):
        flat[at : at + len(inside)] |= inside
    return flat[np.arange(first, end) * rate // SAMPLE_RATE - start]


def check_format(received: AudioFormat, *, strict: bool = False) -> None:
    """Raises ``AudioFormatUnsupported``."""
    if strict and (
        received.container not in (Container.WAV, "headerless PCM")
        or (received.encoding, received.sample_rate, received.channels) != ("PCM_16", SAMPLE_RATE, 1)
    ):
        raise AudioFormatUnsupported(str(received), _STRICT_FORMAT)
    if not MIN_SAMPLE_RATE <= received.sample_rate <= MAX_SAMPLE_RATE:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz")
    if not 1 <= received.channels <= MAX_CHANNELS:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} of at most {MAX_CHANNELS} channels")


def check_values(block: Floats) -> None:
    """Raises ``AudioUnreadable``."""
    peak = max(float(block.max(initial=0.0)), -float(block.min(initial=0.0)))
    if not np.isfinite(peak):
        raise AudioUnreadable("The recording has samples that are not finite numbers.")
    if peak > _LOUDEST:
        raise AudioUnreadable(f"The recording has samples up to {peak:.4g}; full scale is 1.")
