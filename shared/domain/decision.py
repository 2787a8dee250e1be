"""From a calibrated score to a decision.

A score lies in [0, 1] and is calibrated: 0.5 is the model card's stated operating point. Cosines never get here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Final

ACCEPT_SCORE: Final = 0.5
"""Contract (2021-09-05): observed default decision, Accept from 0.5 up."""

NORMAL_MARGIN: Final = 0.2
HIGH_MARGIN: Final = 0.4
"""How far from the threshold a score must lie for v1.0's ``Normal`` and ``High``, relative to the room on its side."""


class Confidence(StrEnum):
    """v1.0's bands. They say how sure the answer is, in both directions: a clear reject is ``High`` too."""

    LOW = "Low"
    NORMAL = "Normal"
    HIGH = "High"


@dataclass(frozen=True)
class Decision:
    """A score and the threshold it is held against."""

    score: float
    threshold: float = ACCEPT_SCORE

    @property
    def accepted(self) -> bool:
        return self.score >= self.threshold

    @property
    def confidence(self) -> Confidence:
        """The band: distance from the threshold as a share of the room on that side, halved to the 0.5 scale."""
        room = (1.0 - self.threshold) if self.accepted else self.threshold
        margin = 0.5 * abs(self.score - self.threshold) / room if room else 0.5
        if margin >= HIGH_MARGIN:
            return Confidence.HIGH
        return Confidence.NORMAL if margin >= NORMAL_MARGIN else Confidence.LOW


def in_two_digits(score: float) -> float:
    """Rounded down: 0.5 stays 0.5, and 0.4999 is none. The decimal digits count, as 0.29 * 100 is less than 29."""
    return float(Decimal(repr(float(score))).quantize(Decimal("0.01"), ROUND_DOWN))


COMPARISON_FALSE_MATCH: Final = 0.01
"""What the score 0.5 stands for where one recording meets one signature: see the model cards."""

LIST_FALSE_ALARM: Final = 0.025
"""What it aims at where a stranger meets a whole list, however long, so that at most 5 % are named: the tail of real
strangers' scores is heavier than the bound assumes. Measured on lists of 40 (docs/accuracy.md): 6 % of strangers named,
all of them by two speakers who are as alike as one; 0 % without these two, and 4 % of the enrolled not named."""

LONG_LIST: Final = 40
"""Up to so many candidates Bonferroni's bound, which is as far as there are real ones of one kind to try it on: 2.8 in
log odds, where 19 of 20 strangers stay below 1.0 and all below 1.6, without the two who are as alike as one."""

LONG_LIST_GROWTH: Final = 0.35
"""What each further ``ln N`` costs beyond that. The chances of one stranger are not independent: who is unlike most is
unlike the next thousand too. Measured from 100 to 100,000 candidates synthesised in four ways: 0.29 to 0.36."""


def open_set(score: float, candidates: int) -> float:
    """The score of the best among several candidates, so that 0.5 keeps its false-alarm rate however long the list is.

    A stranger has N chances to be mistaken for one of N candidates, so a comparison may be wrong with the N-th part of
    the probability (Bonferroni). A calibrated log-odds score is that much rarer when it is ``ln N`` higher (the
    false-match rate at a log-likelihood-ratio threshold t is at most exp(-t)). Lists short enough to keep
    ``LIST_FALSE_ALARM`` as they are stay untouched; behind ``LONG_LIST`` the bound is far from what is needed, and what
    was measured takes its place.
    """
    beyond = max(1.0, candidates / LONG_LIST) ** LONG_LIST_GROWTH
    chances = min(candidates, LONG_LIST) * beyond * COMPARISON_FALSE_MATCH / LIST_FALSE_ALARM
    if score <= 0.0 or score >= 1.0 or chances <= 1.0:
        return score
    log_odds = math.log(score / (1.0 - score)) - math.log(chances)
    return 1.0 / (1.0 + math.exp(-log_odds))


USUAL_SECONDS: Final = 12.0
"""As much speech as calibrations have seen."""

MOST_SECONDS: Final = 48.0
"""Speech behind which more changes nothing."""


def long_speech(score: float, seconds: float) -> float:
    """The score of a voice of whom there is much speech, held to more: log odds less ``ln`` of how often it holds what
    calibrations have seen.

    Measured on the development speech, about 23 s against three sentences: of 45 speakers the least log odds with
    themselves are 3.4, of 968 pairs of others the highest 1.2, but for two who are as alike as one. So a stranger who
    speaks for minutes must not have the chances of one who says a sentence.
    """
    times = min(max(seconds, USUAL_SECONDS), MOST_SECONDS) / USUAL_SECONDS
    if not 0.0 < score < 1.0:
        return score
    return 1.0 / (1.0 + times * (1.0 - score) / score)
