"""The phrases that may be spoken to a text-dependent profile, and what a recogniser hears."""

from __future__ import annotations

from dataclasses import dataclass, field

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

PASSPHRASES_BY_LOCALE = {"en-US": EN_US_PASSPHRASES}


@dataclass(frozen=True)
class HeardPhrase:
    """What a recogniser makes of an utterance.

    ``phrase`` is the allowed phrase nearest to the utterance, ``None`` when none fits. ``score`` is the worst word's
    acoustic log-likelihood per frame (pocketsphinx units, larger is better); ``recognised`` tells whether it passes.
    """

    phrase: str | None = field(repr=False)
    score: float
    recognised: bool
