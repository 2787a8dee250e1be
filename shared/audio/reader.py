"""From a sound, whatever stands behind it, to bounded samples at 16 kHz.

Nothing is read that is too long by its own header, and reading stops a moment after the longest allowed length whatever
the header says, in blocks, so that a small file that unpacks to hours costs no more than the allowed seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from shared.audio.clipping import ClippedRuns
from shared.audio.resample import Resampler
from shared.audio.sniff import SUPPORTED, Container
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioTooShort, AudioUnreadable
from shared.domain.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MAX_SAMPLES, MIN_SAMPLE_RATE
from shared.domain.recording import SAMPLE_RATE, AudioFormat

STRICT_FORMAT: Final = "16Khz 16bit Mono PCM"
"""Contract (v2.0): the retired service's wording of the one format it took."""

BLOCK_VALUES: Final = 1 << 19
"""Samples over all channels that are decoded at a time: 2 MB of float32."""

_LOUDEST: Final = 4.0
"""Full scale is 1.0. Lossy codecs and float mixes overshoot by a few decibels; more is a file on another scale."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Decoded:
    """Every channel of a recording at 16 kHz.

    ``samples`` has shape [channels, n] and may be a transposed view; full scale is 1, which resampling and lossy codecs
    overshoot. ``clipped``, [channels, n], marks where the original samples were at full scale.
    """

    samples: Floats = field(repr=False)
    clipped: npt.NDArray[np.bool_] = field(repr=False)
    format: AudioFormat

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / SAMPLE_RATE)


@dataclass(frozen=True)
class Bounds:
    """``min_seconds`` and ``max_seconds`` are both allowed; ``strict`` allows the retired service's format alone."""

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


class Reader:
    """Reads one sound: take ``blocks`` to their end, then ``clipped``."""

    def __init__(self, sound: Sound, bounds: Bounds) -> None:
        """``AudioFormatUnsupported`` and ``AudioTooLong`` where the header says enough."""
        self._sound, self._bounds, received = sound, bounds, sound.format
        _check_format(received, strict=bounds.strict)
        self._rate, self._channels = received.sample_rate, received.channels
        self._max_seconds = min(bounds.max_seconds, MAX_SAMPLES / (self._rate * self._channels))
        if sound.frames is not None and sound.frames / self._rate > self._max_seconds:
            raise AudioTooLong(sound.frames / self._rate, self._max_seconds)
        self._runs = ClippedRuns(self._rate, self._channels)
        self._written = 0

    def blocks(self) -> Iterator[Floats]:
        """Blocks [n, channels] at 16 kHz, at least one.

        Raises ``AudioUnreadable``, ``AudioTooShort``, and ``AudioTooLong`` after at most one block beyond the bound.
        """
        longest = int(self._max_seconds * self._rate) + 1
        resampler, frames = Resampler(self._rate, self._channels), 0
        for block in self._sound.blocks(min(BLOCK_VALUES // self._channels, longest)):
            _check_values(block)
            frames += len(block)
            if frames / self._rate > self._max_seconds:
                raise AudioTooLong(self._max_seconds, self._max_seconds, at_least=True)
            self._runs.add(block)
            yield self._counted(resampler.add(block))
        last = self._counted(resampler.finish())
        if frames / self._rate < self._bounds.min_seconds or not self._written:
            raise AudioTooShort(frames / self._rate, self._bounds.min_seconds)
        yield last

    def clipped(self) -> npt.NDArray[np.bool_]:
        """Shape [channels, n]."""
        return self._runs.mask(self._written)

    def _counted(self, block: Floats) -> Floats:
        self._written += len(block)
        return block


def read(sound: Sound, bounds: Bounds) -> Decoded:
    """All of it. Raises as ``Reader`` does."""
    reader = Reader(sound, bounds)
    samples = joined(list(reader.blocks()))
    return Decoded(samples, reader.clipped(), sound.format)


def joined(blocks: list[Floats]) -> Floats:
    """Blocks [n, channels] as [channels, all of n]."""
    filled = [block for block in blocks if len(block)]
    return (filled[0] if len(filled) == 1 else np.concatenate(filled)).T


def _check_format(received: AudioFormat, *, strict: bool) -> None:
    if strict and (
        received.container not in (Container.WAV, Container.PCM)
        or (received.encoding, received.sample_rate, received.channels) != ("PCM_16", SAMPLE_RATE, 1)
    ):
        raise AudioFormatUnsupported(str(received), STRICT_FORMAT)
    if not MIN_SAMPLE_RATE <= received.sample_rate <= MAX_SAMPLE_RATE:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz")
    if not 1 <= received.channels <= MAX_CHANNELS:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} of at most {MAX_CHANNELS} channels")


def _check_values(block: Floats) -> None:
    if not len(block):
        return
    peak = max(float(block.max()), -float(block.min()))
    if not np.isfinite(peak):
        raise AudioUnreadable("The recording has samples that are not finite numbers.")
    if peak > _LOUDEST:
        raise AudioUnreadable(f"The recording has samples up to {peak:.4g}; full scale is 1.")
