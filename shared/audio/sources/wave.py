"""A recording on another host, second by second, in bounded memory: WAV of plain samples, whose place is arithmetic.

Other containers would have to be decoded from their beginning in every slice, or by a parser of our own for each; they
are refused by name, with the line that converts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import soxr

from shared.audio.channels import SpeechDetector, find_voices, mixed, without_offset
from shared.audio.containers import wav
from shared.audio.formats import Container, not_decoded
from shared.audio.listener import channel_numbers
from shared.audio.plain_samples import WIDTHS, PlainSamples
from shared.audio.reader import Floats, check_format, check_values
from shared.audio.sniff import sniff
from shared.audio.sources.ranges import RangeReader, Version
from shared.domain.errors import AudioTooLong, AudioUnreadable
from shared.domain.limits import LONG_RECORDING_SECONDS
from shared.domain.long_operation import ChannelVoice
from shared.domain.recording import SAMPLE_RATE, AudioFormat, Samples
from shared.domain.recording_url import RecordingUrl

SUPPORTED: Final = "WAV with PCM, float, A-law or mu-law"
HEAD_BYTES: Final = 256 * 1024
"""What the header is looked for in: recorders put pictures and descriptions of some KB before the samples."""
RANGE_BYTES: Final = 16 * 1024 * 1024
LISTENED: Final = 60 * SAMPLE_RATE
"""Samples of each of three places that tell which channels have voices of their own."""
_WAVES: Final = (Container.WAV, Container.RF64, Container.BW64)


@dataclass(frozen=True)
class RemoteWave:
    """Implements ``LongRecording``. ``start`` and ``end`` are where the samples lie in the file."""

    reader: RangeReader = field(repr=False)
    url: RecordingUrl
    version: Version
    format: AudioFormat
    start: int
    end: int
    big_endian: bool
    detector: SpeechDetector = field(repr=False)

    @property
    def etag(self) -> str:
        return self.version.etag

    @property
    def seconds(self) -> float:
        return self._frames / self.format.sample_rate

    @property
    def length(self) -> int:
        """Samples at 16 kHz."""
        return round(self._frames * SAMPLE_RATE / self.format.sample_rate)

    def samples(self, first: int, last: int) -> Floats:
        """From sample ``first`` up to ``last`` or the end, at 16 kHz: shape [channels, n]. Raises ``SourceFailed``,
        ``AudioUnreadable``."""
        second, end = first // SAMPLE_RATE, -(-last // SAMPLE_RATE)
        nothing = np.zeros((self.format.channels, 0), np.float32)
        joined = np.concatenate([nothing, *self._parts(second, end)], axis=1)
        return joined[:, first - second * SAMPLE_RATE :][:, : last - first]

    def voices(self, channel: int | None) -> Sequence[ChannelVoice]:
        """As the beginning, the middle and the end tell. Raises ``ParameterInvalid`` too."""
        numbers = channel_numbers(channel, self.format.channels)
        if len(numbers) == 1:
            return [ChannelVoice(None, tuple(numbers))]
        every = max(0, self.length - LISTENED) // 2
        starts = sorted({0, every, 2 * every})
        told = np.concatenate([self.samples(start, start + LISTENED) for start in starts], axis=1)
        found = find_voices([without_offset(np.ascontiguousarray(told[number])) for number in numbers], self.detector)
        several = len(found) > 1
        return [ChannelVoice(voice.channels[0] + 1 if several else None, voice.channels) for voice in found]

    def heard(self, voices: Sequence[ChannelVoice], first: int, last: int) -> list[Samples]:
        """Of each voice, shape [n]. Raises ``SourceFailed``, ``AudioUnreadable``."""
        samples = self.samples(first, last)
        return [without_offset(mixed(samples[list(voice.channels)])) for voice in voices]

    def _parts(self, first: int, last: int) -> Iterator[Floats]:
        """Of whole seconds, which begin with a sample at any rate."""
        rate = self.format.sample_rate
        seconds = max(1, RANGE_BYTES // (rate * self._frame_bytes) - 2)
        for start in range(first, last, seconds):
            yield self._resampled(start * rate, min(min(start + seconds, last) * rate, self._frames))

    def _resampled(self, start: int, end: int) -> Floats:
        """With a second on both sides, so that the resampler has no edge inside the recording."""
        rate = self.format.sample_rate
        if end <= start:
            return np.zeros((self.format.channels, 0), np.float32)
        around = 0 if rate == SAMPLE_RATE else rate
        before = min(around, start)
        frames = self._read(start - before, min(end + around, self._frames))
        if rate != SAMPLE_RATE:
            frames = soxr.resample(frames, rate, SAMPLE_RATE, quality="HQ")
        skipped, count = before * SAMPLE_RATE // rate, round((end - start) * SAMPLE_RATE / rate)
        return np.ascontiguousarray(frames[skipped : skipped + count].T)

    def _read(self, start: int, end: int) -> Floats:
        """Frames, shape [n, channels], at the recording's own rate."""
        size = self._frame_bytes
        raw, _ = self.reader.read(self.url, self.start + start * size, (end - start) * size, self.version)
        (block,) = PlainSamples(self.format, memoryview(raw), self.big_endian).blocks(end - start)
        check_values(block)
        return block

    @property
    def _frame_bytes(self) -> int:
        return WIDTHS[self.format.encoding] * self.format.channels

    @property
    def _frames(self) -> int:
        return (self.end - self.start) // self._frame_bytes


@dataclass(frozen=True)
class RemoteRecordings:
    """Implements ``LongRecordings``."""

    detector: SpeechDetector
    reader: RangeReader = field(default_factory=RangeReader)

    def open(self, url: RecordingUrl, etag: str | None = None) -> RemoteWave:
        """By its header. ``etag``: that of an earlier opening, whose content it must still have.

        Raises ``SourceFailed``, ``AudioFormatUnsupported``, ``AudioUnreadable``, ``AudioTooLong``.
        """
        head, version = self.reader.read(url, 0, HEAD_BYTES, etag)
        container = sniff(head)
        if container not in _WAVES:
            name, ending = (container.value, container.value.lower()) if container else ("no known audio", "raw")
            raise not_decoded(f"{name}, at a URL", ending, SUPPORTED)
        layout, start, end, big_endian = wav.located(head, version.size, container)
        check_format(layout)
        wave = RemoteWave(self.reader, url, version, layout, start, end, big_endian, self.detector)
        if wave.seconds > LONG_RECORDING_SECONDS:
            raise AudioTooLong(wave.seconds, LONG_RECORDING_SECONDS)
        if wave.seconds == 0.0:
            raise AudioUnreadable("The recording has no samples.")
        return wave
