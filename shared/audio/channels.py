"""Many channels to one voice: speech decides which count.

What it buys: noise on the other leg of a call at -50 dBFS, averaged in, raised refused own voices from 6 to 54 %; and
cheap sound cards add a constant that measured as noise (400 for an offset of 5 %). What it costs: 130 lines, with
``crosstalk.py`` 240, and a search for speech in each channel that is neither silent nor a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from shared.audio.crosstalk import own_seconds
from shared.audio.runs import Mask
from shared.domain.errors import TwoChannelsSpeak
from shared.domain.recording import SAMPLE_RATE, Samples

_SILENT: Final = 1e-6  # power against the loudest channel, -60 dB: a channel below is not searched for speech
_ALIKE: Final = 0.99
"""Correlation from which two channels are one: a mono recording sent as stereo, whatever a codec did to it."""
_SECOND_VOICE_SECONDS: Final = 0.5
"""Of speech of a channel's own that make it a voice of its own: the least that a recognition takes."""
_MIXED: Final = 0.1
"""Power of the speech against the voice's loudest channel, -10 dB, from which a channel with the same voice is mixed
in: two microphones. Softer ones have it by crosstalk, and would add more noise than voice."""
_CANCELLED: Final = 0.1
"""Power of the mean against the loudest channel, -10 dB: below it the channels are wired against each other."""
_HOP: Final = 256
"""Samples, 16 ms, that are averaged to one value of the offset. The mean over a hop has its zeros at the multiples of
62.5 Hz, where folding would bring a voice's power down to an offset's frequencies."""
_SMOOTHED: Final = 9
"""Hops, 144 ms: an offset that changes more slowly is taken off, and what lies above 30 Hz stays as it is."""


class SpeechDetector(Protocol):
    def speech_mask(self, samples: Samples) -> Mask:
        """Which samples are speech, shape [n]."""


@dataclass(frozen=True)
class Voice:
    """Samples and which of them are speech, each [n], and the channels, from 0, that they are of."""

    samples: Samples
    speech: Mask
    channels: tuple[int, ...]

    @property
    def speech_power(self) -> float:
        spoken = self.samples[self.speech]
        return float(np.dot(spoken, spoken)) / max(len(spoken), 1)

    @property
    def speech_seconds(self) -> float:
        return int(np.count_nonzero(self.speech)) / SAMPLE_RATE


def find_voice(channels: Sequence[Samples], detector: SpeechDetector) -> Voice:
    """The voice in a recording's channels, each [n].

    One channel with speech stands alone, whatever the others hold; one voice on several is mixed. Speech is
    searched once where the channels are alike or silent, otherwise in each. Raises ``TwoChannelsSpeak``.
    """
    voices = find_voices(channels, detector)
    if len(voices) > 1:
        raise TwoChannelsSpeak({voice.channels[0] + 1: voice.speech_seconds for voice in voices})
    return voices[0]


def find_voices(channels: Sequence[Samples], detector: SpeechDetector) -> list[Voice]:
    """The same, and where several channels have voices of their own, each of them."""
    candidates = [_voice(channels, group, detector) for group in _groups(channels)]
    speaking = [voice for voice in candidates if voice.speech_seconds >= _SECOND_VOICE_SECONDS]
    if len(speaking) <= 1:
        return [max(candidates, key=lambda voice: voice.speech_seconds)]
    voices, echoes = _told_apart(sorted(speaking, key=lambda voice: -voice.speech_power))
    if len(voices) > 1:
        return sorted(voices, key=lambda voice: voice.channels)
    mixed_in = [echo for echo in echoes if echo.speech_power > _MIXED * voices[0].speech_power]
    if not mixed_in:
        return voices
    return [_voice(channels, [number for voice in (*voices, *mixed_in) for number in voice.channels], detector)]


def mixed(channels: npt.NDArray[np.float32]) -> Samples:
    """The mean of channels with one voice; shape [channels, n] to [n].

    Where the mean cancels the voice, as with one channel inverted, the loudest channel stands alone.
    """
    powers = np.einsum("ij,ij->i", channels, channels, dtype=np.float64)
    mean: Samples = channels.mean(axis=0, dtype=np.float64).astype(np.float32)
    return channels[int(np.argmax(powers))] if float(np.dot(mean, mean)) < _CANCELLED * powers.max() else mean


def without_offset(samples: Samples) -> Samples:
    """The samples, shape [n], less their moving mean over about 0.15 s.

    A constant leaves no trace. Where it steps, a thump of 0.15 s remains, below the frequencies of speech.
    """
    count = len(samples) // _HOP
    if count < _SMOOTHED:
        return samples - samples.mean(dtype=np.float64).astype(np.float32) if len(samples) else samples
    means = samples[: count * _HOP].reshape(count, _HOP).mean(axis=1, dtype=np.float64)
    window = np.hanning(_SMOOTHED + 2)[1:-1]
    offsets = np.convolve(np.pad(means, _SMOOTHED // 2, mode="edge"), window / window.sum(), mode="valid")
    # In straight lines from the middle of a hop to that of the next.
    ends = np.pad(offsets, (1, 2), mode="edge").astype(np.float32)
    lines: Samples = ends[:-1, None] + np.diff(ends)[:, None] * (np.arange(_HOP) / _HOP).astype(np.float32)
    return samples - lines.ravel()[_HOP // 2 : _HOP // 2 + len(samples)]


def _voice(channels: Sequence[Samples], numbers: Sequence[int], detector: SpeechDetector) -> Voice:
    several = len(numbers) > 1
    samples = mixed(np.stack([channels[number] for number in numbers])) if several else channels[numbers[0]]
    return Voice(samples, detector.speech_mask(samples), tuple(sorted(numbers)))


def _groups(channels: Sequence[Samples]) -> list[list[int]]:
    """The numbers of the channels that are not silent, those together that hold the same; the loudest first.

    A channel that holds the same much softer is left out: it would add more noise than voice.
    """
    powers = [float(np.dot(samples, samples)) for samples in channels]
    groups: list[list[int]] = []
    for number in sorted(range(len(channels)), key=lambda number: -powers[number]):
        if groups and powers[number] <= _SILENT * powers[groups[0][0]]:
            break
        for group in groups:
            product = abs(float(np.dot(channels[number], channels[group[0]])))
            if product >= _ALIKE * (powers[number] * powers[group[0]]) ** 0.5:
                if powers[number] > _MIXED * powers[group[0]]:
                    group.append(number)
                break
        else:
            groups.append([number])
    return groups


def _told_apart(speaking: Sequence[Voice]) -> tuple[list[Voice], list[Voice]]:
    """Those with a voice of their own, and those in which only another's is heard. The strongest speech comes first."""
    voices, echoes = [speaking[0]], list[Voice]()
    for channel in speaking[1:]:
        own = min(own_seconds(channel.samples, channel.speech, voice.samples, voice.speech) for voice in voices)
        (voices if own >= _SECOND_VOICE_SECONDS else echoes).append(channel)
    return voices, echoes
