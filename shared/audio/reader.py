"""From a sound, whatever stands behind it, to bounded samples at 16 kHz, and where they were clipped.

Nothing is read that is too long by its own header, and reading stops a moment after the longest allowed length whatever
the header says, in blocks: an hour of silence in a FLAC of 1 MB costs 32 MB of memory instead of 691.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import soxr

from shared.audio.formats import SUPPORTED, Container
from shared.audio.runs import Mask, runs
from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioTooShort, AudioUnreadable
from shared.domain.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MAX_SAMPLES, MIN_SAMPLE_RATE
from shared.domain.recording import SAMPLE_RATE, AudioFormat

_STRICT_FORMAT: Final = "16Khz 16bit Mono PCM"
"""Contract (v2.0): the retired service's wording of the one format it took."""
_BLOCK_VALUES: Final = 1 << 19  # samples over all channels that are decoded at a time: 2 MB of float32
_FULL_SCALE: Final = 0.98
"""Of a clipped sample: mu-law ends at 32124 of 32768 (0.9803), A-law at 32256, unsigned 8 bit at 127 of 128."""
_SHORTEST_RUN: Final = 3
"""Samples. A peak that just touches full scale, as after normalising, has one or two there; a flat top has more."""
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


class Reader:
    """Reads one sound: take ``blocks`` to their end, then ``clipped``.

    Resampling is soxr's HQ: 20 bits, flat to 0.91 of the band. A recording at 16 kHz is passed on bit for bit.
    """

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
        """Blocks [n, channels] at 16 kHz, some of which may be empty.

        Raises ``AudioUnreadable``, ``AudioTooShort``, and ``AudioTooLong`` after at most one block beyond the bound.
        """
        longest = int(self._max_seconds * self._rate) + 1
        same = self._rate == SAMPLE_RATE
        stream = None if same else soxr.ResampleStream(self._rate, SAMPLE_RATE, self._channels, quality="HQ")
        frames = 0
        for block in self._sound.blocks(min(_BLOCK_VALUES // self._channels, longest)):
            _check_values(block)
            frames += len(block)
            if frames / self._rate > self._max_seconds:
                raise AudioTooLong(self._max_seconds, self._max_seconds, at_least=True)
            self._runs.add(block)
            yield self._counted(block if stream is None else stream.resample_chunk(block))
        nothing = np.zeros((0, self._channels), np.float32)
        tail = self._counted(nothing if stream is None else stream.resample_chunk(nothing, last=True))
        if frames / self._rate < self._bounds.min_seconds or not self._written:
            raise AudioTooShort(frames / self._rate, self._bounds.min_seconds)
        yield tail

    def clipped(self) -> Mask:
        """Shape [channels, n]."""
        return self._runs.mask(self._written)

    def _counted(self, block: Floats) -> Floats:
        self._written += len(block)
        return block


class ClippedRuns:
    """Runs of full-scale samples, found before resampling, which turns flat tops into ripples below full scale.

    A run that is cut by the border of two blocks counts as two.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._frames = 0
        self._runs: list[list[npt.NDArray[np.int64]]] = [[] for _ in range(channels)]

    def add(self, block: Floats) -> None:
        """``block`` has shape [frames, channels]."""
        for samples, channel in zip(block.T, self._runs, strict=True):
            if len(samples) and max(samples.max(), -samples.min()) >= _FULL_SCALE:
                stretches = runs(np.abs(samples) >= _FULL_SCALE)
                channel.append(stretches[stretches[:, 1] - stretches[:, 0] >= _SHORTEST_RUN] + self._frames)
        self._frames += len(block)

    def mask(self, count: int) -> Mask:
        """Which of ``count`` samples at 16 kHz lie in a run, shape [channels, count]."""
        return np.stack([self._row(channel, count) for channel in self._runs])

    def _row(self, channel: list[npt.NDArray[np.int64]], count: int) -> Mask:
        if not channel:
            return np.zeros(count, np.bool_)
        edges = np.minimum(np.rint(np.concatenate(channel) * (SAMPLE_RATE / self._rate)).astype(np.int64), count)
        starts, ends = (np.bincount(column, minlength=count + 1) for column in edges.T)
        return np.asarray(np.cumsum(starts - ends)[:count] > 0)


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
        raise AudioFormatUnsupported(str(received), _STRICT_FORMAT)
    if not MIN_SAMPLE_RATE <= received.sample_rate <= MAX_SAMPLE_RATE:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz")
    if not 1 <= received.channels <= MAX_CHANNELS:
        raise AudioFormatUnsupported(str(received), f"{SUPPORTED} of at most {MAX_CHANNELS} channels")


def _check_values(block: Floats) -> None:
    peak = max(float(block.max(initial=0.0)), -float(block.min(initial=0.0)))
    if not np.isfinite(peak):
        raise AudioUnreadable("The recording has samples that are not finite numbers.")
    if peak > _LOUDEST:
        raise AudioUnreadable(f"The recording has samples up to {peak:.4g}; full scale is 1.")
