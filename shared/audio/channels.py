"""Many channels to one: speech decides which count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from shared.audio.crosstalk import Speaking, own_seconds
from shared.domain.errors import TwoChannelsSpeak
from shared.domain.recording import SAMPLE_RATE, Samples

Mask = npt.NDArray[np.bool_]

_NOTHING: Final = 1e-6
"""Power against the loudest channel, -60 dB: a channel below is silent, and is not searched for speech."""

_ALIKE: Final = 0.99
"""Correlation from which two channels are one: a mono recording sent as stereo, whatever a codec did to it."""

_SECOND_VOICE: Final = 0.5
"""Seconds of speech of a channel's own that make it a voice of its own: the least that a recognition takes."""

_BESIDE: Final = 0.1
"""Power of the speech against the voice's loudest channel, -10 dB, from which a channel with the same voice is mixed
in: two microphones. Softer ones have it by crosstalk, and would add more noise than voice."""

_CANCELLED: Final = 0.1
"""Power of the mean against the loudest channel, -10 dB: below it the channels are wired against each other."""


class SpeechDetector(Protocol):
    def speech_mask(self, samples: Samples) -> Mask:
        """Which samples are speech, shape [n]."""


@dataclass(frozen=True)
class Mono:
    """What is listened to: samples and speech, each [n], and the channels, from 0, that they are of."""

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


def voice_of(channels: Sequence[Samples], detector: SpeechDetector) -> Mono:
    """The voice in a recording's channels, each [n].

    One channel with speech stands alone, whatever the others hold; one voice on several is mixed. Speech is
    searched once where the channels are alike or silent, otherwise in each.

    Raises
    ------
    TwoChannelsSpeak
        Several channels have voices of their own.
    """
    heard = [_heard(channels, alike, detector) for alike in _alike(channels)]
    speaking = [one for one in heard if one.speech_seconds >= _SECOND_VOICE]
    if len(speaking) <= 1:
        return max(heard, key=lambda one: one.speech_seconds)
    voices, echoes = _told_apart(sorted(speaking, key=lambda one: -one.speech_power))
    if len(voices) > 1:
        raise TwoChannelsSpeak({one.channels[0] + 1: one.speech_seconds for one in voices})
    voice = voices[0]
    beside = [one for one in echoes if one.speech_power > _BESIDE * voice.speech_power]
    if not beside:
        return voice
    return _heard(channels, [number for one in (voice, *beside) for number in one.channels], detector)


def mixed(channels: npt.NDArray[np.float32]) -> Samples:
    """The mean of channels with one voice; shape [channels, n] to [n].

    Where the mean cancels the voice, as with one channel inverted, the loudest channel stands alone.
    """
    powers = np.einsum("ij,ij->i", channels, channels, dtype=np.float64)
    mean: Samples = channels.mean(axis=0, dtype=np.float64).astype(np.float32)
    return channels[int(np.argmax(powers))] if float(np.dot(mean, mean)) < _CANCELLED * powers.max() else mean


def _heard(channels: Sequence[Samples], numbers: Sequence[int], detector: SpeechDetector) -> Mono:
    several = len(numbers) > 1
    samples = mixed(np.stack([channels[number] for number in numbers])) if several else channels[numbers[0]]
    return Mono(samples, detector.speech_mask(samples), tuple(sorted(numbers)))


def _alike(channels: Sequence[Samples]) -> list[list[int]]:
    """The numbers of the channels that are not silent, those together that hold the same; the loudest first.

    A channel that holds the same much softer is left out: it would add more noise than voice.
    """
    powers = [float(np.dot(samples, samples)) for samples in channels]
    groups: list[list[int]] = []
    for number in sorted(range(len(channels)), key=lambda one: -powers[one]):
        if groups and powers[number] <= _NOTHING * powers[groups[0][0]]:
            break
        for group in groups:
            product = abs(float(np.dot(channels[number], channels[group[0]])))
            if product >= _ALIKE * (powers[number] * powers[group[0]]) ** 0.5:
                if powers[number] > _BESIDE * powers[group[0]]:
                    group.append(number)
                break
        else:
            groups.append([number])
    return groups


def _told_apart(speaking: Sequence[Mono]) -> tuple[list[Mono], list[Mono]]:
    """Those with a voice of their own, and those in which only another's is heard. The strongest speech comes first."""
    voices, echoes = [speaking[0]], list[Mono]()
    for one in speaking[1:]:
        here = Speaking(one.samples, one.speech)
        own = min(own_seconds(here, Speaking(voice.samples, voice.speech)) for voice in voices)
        (voices if own >= _SECOND_VOICE else echoes).append(one)
    return voices, echoes
