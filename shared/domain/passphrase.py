"""The phrases that may be spoken to a text-dependent profile, and what is heard of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

EN_US_PASSPHRASES = (
    "i am going to make him an offer he cannot refuse",
    "houston we have had a problem",
    "my voice is my passport verify me",
    "apple juice tastes funny after toothpaste",
    "you can get in without your password",
    "you can activate security system now",
    "my voice is stronger than passwords",
    "my password is not your business",
    "my name is unknown to you",
    "be yourself everyone else is already taken",
)
"""Contract (v1.0): in this order, lower case, no punctuation."""

ANY: Final = "any"
"""In place of a list: whatever the speaker says first is the phrase. No recogniser knows it, takes are compared."""

Phrases: TypeAlias = tuple[str, ...] | Literal["any"]
"""What may be said in a locale: a list, or ``ANY``."""

PASSPHRASES_BY_LOCALE: Final[Mapping[str, Phrases]] = {"en-US": EN_US_PASSPHRASES}
"""Elsewhere it is ``ANY``."""

BY_EXAMPLE: Final = ""
"""The passphrase of a profile whose own takes are the phrase."""

ACTIVATION_PHRASES_BY_LOCALE = {
    "en-US": ("I'll talk for a few seconds so you can recognize my voice in the future.",),
}
"""Contract (2021-09-05): said first to a text-independent profile. Those of other locales were never published."""

NOTHING_HEARD_SCORE = float("-inf")
"""The score of silence, noise, or speech in which no part of a phrase was found."""


@dataclass(frozen=True)
class HeardPhrase:
    """What a recogniser makes of an utterance.

    ``phrase`` is the allowed phrase nearest to the utterance, ``None`` when none fits. ``score`` is the natural
    logarithm of the odds of its worst word against the likeliest other token, or half of what all below zero sum up to
    where that is less; 0 at most, ``NOTHING_HEARD_SCORE`` when nothing was heard. ``recognised`` tells whether all of
    the phrase was heard clearly. ``begun`` are the words, of one allowed phrase or several, with which a recording
    clearly begins that ends before the phrase does.

    Where takes are compared, ``phrase`` is ``BY_EXAMPLE`` and ``score`` how like the enrolled takes the utterance is.
    """

    phrase: str | None = field(repr=False)
    score: float
    recognised: bool
    begun: str | None = field(default=None, repr=False)

    @property
    def by_example(self) -> bool:
        return self.phrase == BY_EXAMPLE

    def is_cut(self, phrase: str) -> bool:
        """Whether it is the beginning of that phrase."""
        return self.begun is not None and phrase.startswith(f"{self.begun} ")

    @classmethod
    def nothing(cls) -> HeardPhrase:
        return cls(phrase=None, score=NOTHING_HEARD_SCORE, recognised=False)


@dataclass(frozen=True)
class PhraseTemplate:
    """A take of a phrase that nobody wrote down, as ``front_end`` hears it and nobody else."""

    front_end: str
    content: bytes = field(repr=False)


def normalise_phrase(text: str) -> str:
    """Lower case, single spaces, no punctuation but an apostrophe in a word: ``Verify me!`` becomes ``verify me``."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return " ".join(re.findall(r"\w+(?:'\w+)*", plain))
