"""Which allowed phrase an English utterance says, by a transcriber's odds for each of its words.

The phrase that is expected is laid along the recording at once: where each of its words stands, it was said. Elsewhere,
and where none is expected, the transcript tells which phrase it is like, and behind which words, and that one is laid
along. ``docs/decisions/passphrase-recognition.md`` has the measurements.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, takewhile
from typing import Final, NamedTuple

import numpy as np

from shared.domain.errors import LocaleUnsupported
from shared.domain.limits import PASSPHRASE_WORST_WORD
from shared.domain.measurement import stage
from shared.domain.passphrase import HeardPhrase, normalise_phrase
from shared.domain.recording import Samples, Utterance
from shared.inference.expected_text import ExpectedText, letters, score_of
from shared.inference.fbank import gain_to
from shared.inference.nearest_part import nearest_part
from shared.inference.transcriber import FEWEST_SAMPLES, Heard, Transcriber, around_speech

_LOCALES = ("en-US",)
_KNOWN: Final = re.compile("[a-z]+(?:'[a-z]+)*")
_MARGIN_SECONDS: Final = 0.15
"""Audio kept on each side of the speech, whose first and last sounds may be taken for noise."""
_LEVEL_DBFS: Final = -26.0206
"""RMS of the speech that the transcriber gets: a twentieth of full scale."""
_FARTHEST: Final = 0.6
"""A share of a phrase's letters. A transcript that is farther from it says something else: 3 of 80 windows of other
speech are nearer, and 124 of 125 phrases that are recognised (0.7: 61 and 125; 0.5: none and 121)."""
_LIKE: Final = 0.5
"""Up to here a phrase is named as the nearest."""
_AS_NEAR: Final = 0.15
_MOST_LAID: Final = 2
"""So many phrases are laid along, the second only where it is that little farther from the transcript than the first:
a list of fifty takes no longer than a list of ten."""
_FEWEST_BEGUN: Final = 2
"""Words of a phrase that was cut; one word alone is heard in all kinds of speech."""


class _Place(NamedTuple):
    """Where in a transcript a phrase fits best: ``before`` it stand so many tokens; ``distance`` is the least number of
    letters to change, add or take away, as a share of the phrase's."""

    phrase: str
    before: int
    distance: float


class TranscribedPassphraseRecogniser:
    """A ``PassphraseRecogniser`` for en-US. Safe to share between threads. Nothing is opened before the first call."""

    locales = _LOCALES

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber
        self._expected = ExpectedText(transcriber)

    def recognise(
        self,
        utterance: Utterance,
        phrases: Sequence[str],
        locale: str,
        *,
        expected: str | None = None,
        alone: bool = False,
    ) -> HeardPhrase:
        """Which of the phrases (in their normalised form) is spoken, and whether each of its words was heard.

        Words before and after it do no harm; with ``alone`` those before do, which saves most of the time of a refusal.
        ``expected`` is tried first: it takes half of the time where it was said.
        Raises ``LocaleUnsupported``, and ``ValueError`` for a phrase that is empty or has one of ``unknown_words``.
        """
        if locale not in _LOCALES:
            raise LocaleUnsupported(locale, _LOCALES)
        allowed = tuple(dict.fromkeys(normalise_phrase(phrase) for phrase in phrases))
        if "" in allowed or self.unknown_words(allowed):
            raise ValueError("A passphrase is empty or holds a word without a known pronunciation.")
        if not allowed or not utterance.speech.any():
            return HeardPhrase.nothing()
        with stage("phrase"):
            heard = self._transcriber.hear(_heard_samples(utterance))
            first = allowed if alone else tuple(phrase for phrase in allowed if phrase == expected)
            laid = [self._laid(heard, phrase) for phrase in first]
            best = max(laid, key=lambda one: one.score, default=HeardPhrase.nothing())
            return best if best.recognised or alone else self._found(heard, allowed, best)

    def unknown_words(self, phrases: Sequence[str]) -> list[str]:
        """The words, in order and once each, that are not of the letters a to z: such phrases can't be allowed."""
        words = dict.fromkeys(word for phrase in phrases for word in normalise_phrase(phrase).split())
        return [word for word in words if not _KNOWN.fullmatch(word)]

    def _laid(self, heard: Heard, phrase: str, before: Sequence[int] = ()) -> HeardPhrase:
        """``begun`` are the words up to the first that was not heard."""
        odds = self._expected.log_odds(heard, phrase, PASSPHRASE_WORST_WORD, before)
        score = score_of(odds)
        if score > PASSPHRASE_WORST_WORD:
            return HeardPhrase(phrase, score, recognised=True)
        begun = [word for word, _ in takewhile(_was_heard, zip(phrase.split(), odds, strict=True))]
        is_cut = not before and _FEWEST_BEGUN <= len(begun) < len(odds)
        return HeardPhrase(phrase, score, recognised=False, begun=" ".join(begun) if is_cut else None)

    def _found(self, heard: Heard, allowed: Sequence[str], first: HeardPhrase) -> HeardPhrase:
        """By the transcript. ``first`` is the expected phrase, or nothing."""
        draft = self._expected.draft(first.phrase) if first.phrase else ()
        transcript = self._transcriber.transcript(heard, draft)
        places = sorted((self._place(transcript, phrase) for phrase in allowed), key=lambda place: place.distance)
        farthest = min(_FARTHEST, places[0].distance + _AS_NEAR)
        laid = [
            first
            if (place.phrase, place.before) == (first.phrase, 0)
            else self._laid(heard, place.phrase, transcript[: place.before])
            for place in places[:_MOST_LAID]
            if place.distance <= farthest
        ]
        best = max(laid, key=lambda one: one.score, default=first)
        if best.recognised:
            return best
        words = sum(1 for token in transcript if token in self._expected.spelling.starts)
        begun = next((one.begun for one in (first, *laid) if one.begun and len(one.begun.split()) >= words - 1), None)
        nearest = places[0].phrase if places[0].distance <= _LIKE else None
        return HeardPhrase(nearest, best.score, recognised=False, begun=begun)

    def _place(self, transcript: Sequence[int], phrase: str) -> _Place:
        spelling, wanted = self._expected.spelling, letters(phrase)
        written = [spelling.letters[token] for token in transcript]
        lengths = accumulate(map(len, written), initial=0)
        starts = {0: 0}
        for number, (token, length) in enumerate(zip(transcript, lengths, strict=False)):
            if token in spelling.starts and written[number]:
                starts.setdefault(length, number)
        cost, start = nearest_part("".join(written), wanted, tuple(starts))
        return _Place(phrase, starts[start], cost / len(wanted))


def _was_heard(word: tuple[str, float]) -> bool:
    return word[1] > PASSPHRASE_WORST_WORD


def _heard_samples(utterance: Utterance) -> Samples:
    """The stretch around the speech at a fixed level."""
    around = around_speech(utterance, _MARGIN_SECONDS)
    around = np.pad(around, (0, max(0, FEWEST_SAMPLES - len(around))))
    return np.asarray(np.clip(around * gain_to(utterance.spoken, _LEVEL_DBFS), -1.0, 1.0), np.float32)
