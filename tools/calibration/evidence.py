"""How much a number of comparisons can say: the rule of 3 and the rule of 30.

Both are in Doddington et al., "The NIST speaker recognition evaluation", 2000, and in ISO/IEC 19795-1. They count
*independent* trials. Two strangers compared a hundred times are not a hundred trials, so pairs of speakers are
counted, and even those share their speakers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RULE_OF_3: Final = 3
"""No error in n trials: the rate is below 3 / n with 95 % confidence."""
RULE_OF_30: Final = 30
"""30 errors: the true rate lies within 30 % of the measured one with 90 % confidence."""


class Verdict(StrEnum):
    TOO_LITTLE = "too little"
    THIN = "thin"
    ENOUGH = "enough"


@dataclass(frozen=True)
class Evidence:
    """What stands behind a rate. ``pairs``: pairs of speakers compared; ``wanted``: the false-match rate asked for."""

    speakers: int
    pairs: int
    wanted: float

    @property
    def smallest_rate(self) -> float:
        """The least false-match rate that could be claimed if no stranger ever passed."""
        return min(1.0, RULE_OF_3 / self.pairs) if self.pairs else 1.0

    @property
    def verdict(self) -> Verdict:
        if self.smallest_rate > self.wanted:
            return Verdict.TOO_LITTLE
        return Verdict.THIN if self.pairs * self.wanted < RULE_OF_30 else Verdict.ENOUGH

    @property
    def speakers_wanted(self) -> int:
        """Speakers whose pairs would satisfy the rule of 30 at the wanted rate."""
        count = 2
        while count * (count - 1) / 2 * self.wanted < RULE_OF_30:
            count += 1
        return count

    @property
    def sentence(self) -> str:
        pairs = f"{self.pairs:,} pairs of different speakers"
        more = f"{self.speakers_wanted} speakers would make it {RULE_OF_30} such errors"
        match self.verdict:
            case Verdict.TOO_LITTLE:
                return (
                    f"Too little data: with {pairs} no false-match rate below {percent(self.smallest_rate)} can be "
                    f"claimed even if nobody passes (rule of 3), and {percent(self.wanted)} is wanted. The recommended "
                    f"threshold is a guess; {more} (rule of 30)."
                )
            case Verdict.THIN:
                return (
                    f"Thin data: at a false-match rate of {percent(self.wanted)}, {pairs} stand for about "
                    f"{self.pairs * self.wanted:.0f} independent errors. Read the interval, not the figure; {more} "
                    "(rule of 30)."
                )
            case Verdict.ENOUGH:
                return f"Enough data for a false-match rate of {percent(self.wanted)}: {pairs} (rule of 30)."


def percent(share: float) -> str:
    """A share as a percentage with two figures that count."""
    return f"{100.0 * share:.2g} %" if share < 0.1 else f"{100.0 * share:.0f} %"
