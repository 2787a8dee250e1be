"""What a model's scores mean: how a cosine and two lengths of speech become a score, and what false matches cost.

A model's card has a calibration; a subscription may bring its own, fitted on its own recordings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

TAIL: Final = 0.75
"""How fast strangers get rarer with the log odds of the score: at log odds t above the threshold of a rate r, about
r * exp(-0.75 t) of them are left, and below it that many come in. Measured on speakers outside the fit, from 0.4 % to
5 % of the comparisons: all together stay below it, the worst of 243 combinations of channel, length and enrollments is
up to two thirds above (docs/internals/scores.md). A calibrated log-likelihood ratio would allow 1; the measurement does
not."""


@dataclass(frozen=True)
class MeasuredRates:
    """Error rates at score 0.5 on speakers outside the fit, as shares, with 95 % intervals over speakers.

    ``test`` is the length of the tested speech, ``full`` about 12 s; ``strangers`` and ``same`` count comparisons.
    """

    test: str
    enrolments: int
    speakers: int
    strangers: int
    same: int
    false_match: float
    false_match_low: float
    false_match_high: float
    false_non_match: float
    false_non_match_low: float
    false_non_match_high: float
    equal_error: float


@dataclass(frozen=True)
class Calibration:
    """logit = bias + cosine * c + log_shorter * ln(s) + log_longer * ln(l).

    ``s`` and ``l`` are the shorter and the longer of the two sides' net speech in seconds, held inside the bounds
    that the fit has seen. Score = sigmoid(logit - threshold_logit): 0.5 is where strangers are taken for the speaker
    at ``false_match_rate``.
    """

    bias: float
    cosine: float
    log_shorter: float
    log_longer: float
    threshold_logit: float
    false_match_rate: float
    min_seconds: float
    max_seconds: float
    fitted_on: str
    fitted_speakers: int
    fitted_trials: int
    measured: tuple[MeasuredRates, ...] = ()

    @property
    def smallest_rate(self) -> float:
        """The lowest false-match rate that may be spoken of: none among n pairs of different speakers bounds the rate
        by 3 / n with 95 % confidence (the rule of 3). Trials of one pair hang together and count once, and only pairs
        inside a half were measured with a line that they were not fitted on."""
        half = self.fitted_speakers // 2
        pairs = half * (half - 1)
        return min(1.0, 3.0 / pairs) if pairs else 1.0

    def score_at(self, false_match_rate: float) -> float:
        """The score, in (0, 1), at which about this share of strangers is accepted."""
        log_odds = math.log(self.false_match_rate / false_match_rate) / TAIL
        return 1.0 / (1.0 + math.exp(-log_odds))


@dataclass(frozen=True)
class SiteCalibration:
    """A subscription's own calibration, for one model: the scores of another are not touched by it."""

    model_id: str
    calibration: Calibration
