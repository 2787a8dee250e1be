"""From a calibrated score to a decision.

A score lies in [0, 1] and is calibrated: 0.5 is the model card's stated operating point. Cosines never get here.
"""

from __future__ import annotations

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
