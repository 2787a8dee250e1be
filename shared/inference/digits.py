"""Whether an utterance says the drawn digits, by a transcriber that is asked how well they fit.

It writes nothing down itself. The drawn digits are laid before it in two written forms, as words and as figures, and it
tells how likely each of the ten is in every place behind the drawn ones before it, and whether the speech ends behind
each. A form alone is rather a matter of what the transcriber likes to write; the mean of both is what it heard.
``docs/challenges.md`` has the measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.domain.errors import LocaleUnsupported
from shared.domain.measurement import stage
from shared.domain.recording import Utterance
from shared.inference.model_card import DigitCard
from shared.inference.transcriber import END, Heard, Transcriber, around_speech
from shared.inference.vocabulary import Vocabulary

Array = npt.NDArray[np.float32]

_MARGIN_SECONDS: Final = 0.3
"""Of the recording before the first and behind the last speech. Its level does not matter to the transcriber."""

_LEAST_ODDS: Final = -2.0
_LEAST_MEAN: Final = 1.5
"""Logarithm of the odds that every drawn digit must have against the likeliest other in its place, and all on average:
where no digits are said, each is about as likely as another."""

_LEAST_END: Final = -1.0
_MOST_END_BEFORE: Final = 0.5
"""Logarithm of the odds that the speech ends against that it goes on: behind the last digit, and behind any before."""


class Fit(NamedTuple):
    """How well drawn digits fit what was heard: natural logarithms of odds, [digits] each."""

    own: Array
    """Of each digit against the likeliest other in its place."""
    end: Array
    """That the speech ends behind it, against that it goes on."""

    @property
    def is_right(self) -> bool:
        are_said = self.own.min() > _LEAST_ODDS and self.own.mean() > _LEAST_MEAN
        return bool(are_said and self.end[-1] > _LEAST_END and self.end[:-1].max() < _MOST_END_BEFORE)


@dataclass(frozen=True)
class Written:
    """Digits as a transcriber writes them. ``before`` and ``behind`` count the tokens up to each digit's start and end;
    ``firsts[3]`` are the tokens that a 3 may begin with."""

    tokens: Sequence[int]
    before: Sequence[int]
    behind: Sequence[int]
    firsts: Sequence[Sequence[int]]


class SpokenDigitRecogniser:
    """A ``DigitRecogniser`` for the languages of the cards whose transcriber is there. Safe to share between threads.
    Nothing is opened before the first use."""

    def __init__(self, cards: Iterable[DigitCard], transcribers: Iterable[Transcriber]) -> None:
        self._transcribers = {locale: transcriber for transcriber in transcribers for locale in transcriber.locales}
        self._cards = {card.locale: card for card in cards if card.locale in self._transcribers}

    @property
    def locales(self) -> Sequence[str]:
        return tuple(self._cards)

    def text(self, digits: str, locale: str) -> str:
        card = self._card(locale)
        return " ".join(card.said[int(digit)][0] for digit in digits)

    def says(self, utterance: Utterance, digits: str, locale: str) -> bool:
        self._card(locale)
        if not utterance.speech.any():
            return False
        with stage("phrase"):
            return self.fit(utterance, digits, locale).is_right

    def fit(self, utterance: Utterance, digits: str, locale: str) -> Fit:
        """Of an utterance with speech. Raises ``LocaleUnsupported``, and what ``Transcriber`` raises."""
        card, transcriber = self._card(locale), self._transcribers[locale]
        heard, vocabulary = transcriber.hear(around_speech(utterance, _MARGIN_SECONDS)), transcriber.vocabulary
        forms = in_words(vocabulary, card, digits), in_figures(vocabulary, digits)
        fits = [_fit(transcriber, heard, form) for form in forms]
        likely, end = (np.mean([one[part] for one in fits], axis=0) for part in (0, 1))
        own = np.arange(likely.shape[1]) == np.array([int(digit) for digit in digits])[:, None]
        return Fit(likely[own] - np.where(own, -np.inf, likely).max(axis=1), end)

    def _card(self, locale: str) -> DigitCard:
        """Raises ``LocaleUnsupported``."""
        if locale not in self._cards:
            raise LocaleUnsupported(locale, self.locales)
        return self._cards[locale]


def in_words(vocabulary: Vocabulary, card: DigitCard, digits: str) -> Written:
    """``Four, seven, two``: the word that is shown, with commas between."""
    tokens: list[int] = []
    before, behind = [], []
    for digit in digits:
        word = card.said[int(digit)][0]
        tokens += [_comma(vocabulary)] if tokens else []
        before.append(len(tokens))
        tokens += vocabulary.tokens(word if before[-1] else word.capitalize())
        behind.append(len(tokens))
    ways = [[way for word in said for way in (word, word.capitalize())] for said in card.said]
    return Written(tokens, before, behind, [sorted({vocabulary.tokens(way)[0] for way in of}) for of in ways])


def in_figures(vocabulary: Vocabulary, digits: str) -> Written:
    """``472``: a token of a space, and one of each figure."""
    space, *figures = vocabulary.tokens("0123456789")
    tokens = [space, *(figures[int(digit)] for digit in digits)]
    places = range(1, len(tokens))
    return Written(tokens, places, [place + 1 for place in places], [[figure] for figure in figures])


def _fit(transcriber: Transcriber, heard: Heard, form: Written) -> tuple[Array, Array]:
    """Logarithms: the likelihood of each of the ten digits in every place, up to a constant of the place, [digits, 10];
    and the odds of an end behind each, [digits]."""
    rows = transcriber.lay(heard, form.tokens).logits
    vocabulary = transcriber.vocabulary
    likely = np.stack([_any(rows[form.before], firsts) for firsts in form.firsts], axis=1)
    stops = [END, vocabulary.tokens("0.")[-1]]
    # A digit more begins with a word or a figure, or with what stands before one.
    more = {token for firsts in form.firsts for token in firsts}
    more |= {_comma(vocabulary), vocabulary.tokens("0-")[-1], vocabulary.tokens("0")[0]}
    behind = rows[form.behind]
    return likely, _any(behind, stops) - _any(behind, sorted(more))


def _comma(vocabulary: Vocabulary) -> int:
    return vocabulary.tokens("0,")[-1]


def _any(rows: Array, tokens: Sequence[int]) -> Array:
    """Logarithm of the likelihood of any of the tokens, [rows]."""
    return np.asarray(np.logaddexp.reduce(rows[:, tokens], axis=1), np.float32)
