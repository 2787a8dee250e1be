"""A recording after it was read: samples, and what was measured on them.

Recordings live only for the length of a request. Nothing here is ever logged: the representations leave the
samples out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]
"""Mono samples in [-1, 1], shape [n], at ``SAMPLE_RATE``."""

Vector: TypeAlias = npt.NDArray[np.float32]
"""An embedding, shape [dimension]."""

Numbers: TypeAlias = npt.NDArray[np.float64]
"""Scores, seconds and what is computed of them."""

SAMPLE_RATE = 16_000
"""Hz. Everything behind the decoder works at this rate."""

FULL_BAND_HZ = SAMPLE_RATE / 2

NARROW_HZ = 4_100.0
"""Half of 8,000 samples a second, and what filters leave behind it: ``shared/audio/quality.py``."""


@dataclass(frozen=True)
class Audio:
    """A recording as it came: its bytes, and what the sender calls them, which is often wrong.

    ``channel`` is the one that the sender chose, from 1; ``None`` leaves it to where speech is found.
    """

    content: bytes = field(repr=False)
    media_type: str | None
    channel: int | None = None


@dataclass(frozen=True)
class AudioFormat:
    """What arrived on the wire, for messages: ``WAV, PCM_16, 44100 Hz, 2 channels``."""

    container: str
    encoding: str
    sample_rate: int
    channels: int

    def __str__(self) -> str:
        channels = "mono" if self.channels == 1 else f"{self.channels} channels"
        return f"{self.container}, {self.encoding}, {self.sample_rate} Hz, {channels}"


@dataclass(frozen=True)
class Recording:
    """A decoded recording: mono, 16 kHz, float32."""

    samples: Samples = field(repr=False)
    format: AudioFormat

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True)
class Measured:
    """What was measured on an utterance, without its samples: see there."""

    speech_seconds: float
    snr_db: float
    level_dbfs: float
    bandwidth_hz: float
    channel: int | None


@dataclass(frozen=True)
class Utterance:
    """A recording with its speech found and its quality measured.

    ``speech`` marks the samples that are speech, shape [n]. ``snr_db`` compares the level of speech with that of
    the rest; ``clipped_percent`` and ``level_dbfs`` are taken over the speech. ``bandwidth_hz`` is how far up it
    reaches, at most ``FULL_BAND_HZ``. ``channel`` is the one that the samples are of, from 1; ``None`` when several
    were mixed.
    """

    recording: Recording
    speech: npt.NDArray[np.bool_] = field(repr=False)
    speech_seconds: float
    snr_db: float
    clipped_percent: float
    level_dbfs: float
    bandwidth_hz: float = FULL_BAND_HZ
    channel: int | None = None

    @property
    def seconds(self) -> float:
        return self.recording.seconds

    @property
    def measured(self) -> Measured:
        return Measured(self.speech_seconds, self.snr_db, self.level_dbfs, self.bandwidth_hz, self.channel)

    @property
    def is_wide(self) -> bool:
        """Whether it has more than 8,000 samples a second carry, as its speech tells: the rate that a file names says
        nothing."""
        return self.bandwidth_hz > NARROW_HZ

    @property
    def spoken(self) -> Samples:
        """The samples that are speech, joined, shape [m]."""
        return self.recording.samples[self.speech]
