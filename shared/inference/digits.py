"""Whether an English utterance says the drawn digits, by pocketsphinx with a grammar of them.

In every place of the grammar stands the drawn digit, and at a small weight every other one: a wrong digit is then heard
as what it is. Every word must be close to what the acoustic model expects, so that silence fills no place; and no
speech may be left over, as the decoder's silence swallows a digit before or behind the others.
``docs/challenges.md`` has the measurements.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np

from shared.domain.errors import LocaleUnsupported
from shared.domain.measurement import stage
from shared.domain.recording import Utterance
from shared.inference.sphinx import FRAME_SAMPLES, Words, around_speech, model, paths, pcm16, per_frame

_LOCALE: Final = "en-US"
_WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ZERO: Final = ("zero", "oh")
"""The text says "zero"; people say either."""

_PRONUNCIATIONS: Final = """\
zero Z IH R OW
zero(2) Z IY R OW
oh OW
one W AH N
one(2) HH W AH N
two T UW
three TH R IY
four F AO R
five F AY V
six S IH K S
seven S EH V AH N
eight EY T
nine N AY N
"""
"""As in the CMU pronouncing dictionary."""

_OTHER_WEIGHT: Final = "1e-14"
"""Prior of any other digit against 1 for the drawn one. With 1e-30 readings in a room with one digit wrong pass."""

_WORST_WORD: Final = -70.0
"""Acoustic log-likelihood per frame that the worst digit must exceed (pocketsphinx units)."""

_LEFT_OVER_FRAMES: Final = 8
_LEFT_OVER_DB: Final = -8.0
"""How long speech outside the digits may be, in frames of 10 ms, that is louder than this against the digits' own
level: what a room adds behind a word is softer."""


class SphinxDigitRecogniser:
    """A ``DigitRecogniser`` for en-US. Safe to share between threads; calls take turns, as pocketsphinx holds Python's
    lock. Nothing of it is imported or read before the first call."""

    locales: Sequence[str] = (_LOCALE,)

    def __init__(self) -> None:
        self._turn = Lock()
        self._made: Any = None

    def text(self, digits: str, locale: str) -> str:
        self._require(locale)
        return " ".join(_WORDS[int(digit)] for digit in digits)

    def says(self, utterance: Utterance, digits: str, locale: str) -> bool:
        self._require(locale)
        if not utterance.speech.any():
            return False
        with stage("phrase"), self._turn:
            _, words = paths(self._decoder(digits), pcm16(utterance))
        if "".join(_digit(word.word) for word in words) != digits or min(map(per_frame, words)) <= _WORST_WORD:
            return False
        return left_over(utterance, words) <= _LEFT_OVER_FRAMES

    def _require(self, locale: str) -> None:
        if locale not in self.locales:
            raise LocaleUnsupported(locale, self.locales)

    def _decoder(self, digits: str) -> Any:
        """One for all challenges: a grammar takes a millisecond to change, a decoder 20 to make."""
        from pocketsphinx import Decoder

        if self._made is None:
            with tempfile.TemporaryDirectory(prefix="timbre-") as folder:
                words = Path(folder) / "digits.dict"
                words.write_text(_PRONUNCIATIONS, encoding="ascii")
                self._made = Decoder(hmm=str(model() / "en-us"), dict=str(words), lm=None, loglevel="FATAL")
        self._made.add_jsgf_string("digits", grammar(digits))
        self._made.activate_search("digits")
        return self._made


def grammar(digits: str) -> str:
    """JSGF."""
    return f"#JSGF V1.0;\ngrammar digits;\npublic <digits> = {' '.join(_place(digit) for digit in digits)};\n"


def left_over(utterance: Utterance, words: Words) -> int:
    """The longest run of loud speech outside the words, in frames."""
    stretch = around_speech(utterance)
    count = len(utterance.speech[stretch]) // FRAME_SAMPLES
    frames = slice(stretch.start, stretch.start + count * FRAME_SAMPLES)
    speech = utterance.speech[frames].reshape(count, FRAME_SAMPLES).mean(axis=1) > 0.5
    samples = utterance.recording.samples[frames].astype(np.float64)
    power = np.square(samples).reshape(count, FRAME_SAMPLES).mean(axis=1)
    inside = np.zeros(count, bool)
    for word in words:
        inside[word.start_frame : word.end_frame + 1] = True
    loud = power > np.percentile(power[inside], 60) * 10.0 ** (_LEFT_OVER_DB / 10.0)
    edges = np.flatnonzero(np.diff((speech & loud & ~inside).astype(np.int8), prepend=0, append=0))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def _place(digit: str) -> str:
    own = _ZERO if digit == "0" else (_WORDS[int(digit)],)
    others = [word for word in (*_WORDS, "oh") if word not in own]
    return f"( {' | '.join([*(f'/1.0/ {word}' for word in own), *(f'/{_OTHER_WEIGHT}/ {word}' for word in others)])} )"


def _digit(word: str) -> str:
    return "0" if word in _ZERO else str(_WORDS.index(word))
