"""Which digit a word of a recording sounds like, by the network that phrases are compared by.

The network hears every 20 ms of a word, with 0.1 to 0.3 s around it, over whatever line it came. Eight moments of the
word, evenly apart, are weighed for each digit; how much more one has than the best other says how surely it is the one.
``docs/challenges.md`` has the figures; ``tools/models/digit_sounds.py`` finds the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Utterance
from shared.inference.fbank import FRAME, HOP, gain_to
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.phrase_examples import FRAME_STEP, LEVEL_DBFS, sounds
from shared.inference.sphinx import around_speech

Array = npt.NDArray[np.float32]

DIGITS: Final = 10
MOMENTS: Final = 8
"""Of a word: a phone has two or three."""


class WordFrames(NamedTuple):
    """A word's frames of 10 ms, counted from the start of ``around_speech``; the end belongs to it."""

    start_frame: int
    end_frame: int


class DigitSounds:
    """Of one language. Safe to share between threads. Nothing is opened before the first use."""

    def __init__(self, network: OnnxNetwork, weights: Path) -> None:
        self._network, self._file = network, weights

    def margins(self, utterance: Utterance, ways: Sequence[Sequence[WordFrames]], digits: str) -> Array:
        """By how much each word is rather its digit than the likeliest other: natural logarithms of odds, [words].

        ``ways`` are ways in which as many words as digits may lie in the recording, at least one of each; the least
        margin counts. Raises ``OSError`` where there are no weights.
        """
        heard = self.frames(utterance)
        spoken = spoken_frames(utterance.speech[around_speech(utterance)])
        own = np.arange(DIGITS) == np.array([int(digit) for digit in digits])[:, None]
        margins = []
        for words in ways:
            said = np.stack([moments(heard, without_silence(word, spoken)) for word in words])
            scores = said @ self._weights[:-1] + self._weights[-1]
            margins.append(scores[own] - np.where(own, -np.inf, scores).max(axis=1))
        return np.asarray(np.min(margins, axis=0), np.float32)

    def frames(self, utterance: Utterance) -> Array:
        """What the network makes of the stretch around the speech, less the mean of the speech: [frames, directions].

        A frame is 20 ms.
        """
        around = around_speech(utterance)
        samples = utterance.recording.samples[around] * gain_to(utterance.spoken, LEVEL_DBFS)
        return sounds(self._network, samples, spoken_frames(utterance.speech[around]))

    @cached_property
    def _weights(self) -> Array:
        """[moments * directions + 1, digits]; the last row is what each digit has beforehand."""
        with np.load(self._file, allow_pickle=False) as arrays:
            return np.asarray(arrays["weights"], np.float32)


def moments(heard: Array, word: WordFrames) -> Array:
    """The word at ``MOMENTS`` moments from its start to its end, between two frames a mean of both; one after the
    other."""
    start, end = word.start_frame / FRAME_STEP, (word.end_frame + 1) / FRAME_STEP
    at = np.clip(np.linspace(start, max(end - 1.0, start), MOMENTS), 0.0, len(heard) - 1.0)
    before = np.floor(at).astype(np.intp)
    behind = np.minimum(before + 1, len(heard) - 1)
    share = (at - before)[:, None].astype(np.float32)
    return np.ravel(heard[before] * (1.0 - share) + heard[behind] * share)


def without_silence(word: WordFrames, spoken: npt.NDArray[np.bool_]) -> WordFrames:
    """From its first to its last frame of speech: a decoder's last word may go on through the silence behind it."""
    where = np.flatnonzero(spoken[word.start_frame : word.end_frame + 1])
    if not len(where):
        return word
    return WordFrames(word.start_frame + int(where[0]), word.start_frame + int(where[-1]))


def spoken_frames(speech: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The frames of which more than half is speech; all, where there is none."""
    windows = np.lib.stride_tricks.sliding_window_view(np.resize(speech, max(FRAME, len(speech))), FRAME)[::HOP]
    spoken = windows.mean(axis=1) > 0.5
    return spoken if spoken[::FRAME_STEP].any() else np.ones_like(spoken)
