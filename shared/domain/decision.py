"""From a calibrated score to a decision.

A score lies in [0, 1] and is calibrated: 0.5 is the model card's stated operating point. Cosines never get here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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


def open_set(score: float, candidates: int) -> float:
    """The score of one candidate among several, so that 0.5 keeps its false-alarm rate for the whole list.

    With N candidates a stranger has N chances to be mistaken. A calibrated log-odds score may be too high by ``ln N``
    with at most 1/N of the probability (Bonferroni: the false-match rate at a log-likelihood-ratio threshold t is at
    most exp(-t)), so ``ln N`` is taken off in the log-odds domain.
    """
    if score <= 0.0 or score >= 1.0 or candidates <= 1:
        return score
    log_odds = math.log(score / (1.0 - score)) - math.log(candidates)
    return 1.0 / (1.0 + math.exp(-log_odds))
