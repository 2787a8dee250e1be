"""What a model's scores mean: how a cosine and two lengths of speech become a score, and what false matches cost.

A model's card has a calibration; a subscription may bring its own, fitted on its own recordings. Both have the form of
``calibration.json`` that ``python -m tools.calibrate`` writes, and are read here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

from shared.domain.errors import ParameterInvalid
from shared.domain.json_values import json_object, known_fields, text, within

TAIL: Final = 0.75
"""How fast strangers get rarer with the log odds of the score: at log odds t above the threshold of a rate r, about
r * exp(-0.75 t) of them are left, and below it that many come in. Measured on speakers outside the fit, from 0.4 % to
5 % of the comparisons: all together stay below it, the worst of 243 combinations of channel, length and enrollments is
up to two thirds above (docs/internals/scores.md). A calibrated log-likelihood ratio would allow 1; the measurement does
not."""

HIGHEST_RATE: Final = 0.05
"""As far as the mapping from rates to scores was measured."""

BOUNDS: Final = {
    "bias": (-1_000.0, 1_000.0),
    "cosine": (1.0, 1_000.0),
    "log_shorter": (-100.0, 100.0),
    "log_longer": (-100.0, 100.0),
    "threshold_logit": (-100.0, 100.0),
    "false_match_rate": (1e-6, 0.5),
    "min_seconds": (0.1, 60.0),
    "max_seconds": (0.1, 3_600.0),
    "fitted_speakers": (2, 10_000_000),
    "fitted_trials": (1, 10**12),
}
"""Our choice: from where to where. A model whose scores fall with the cosine, or hardly rise, is a mistake."""

CALIBRATION_VALUES: Final = (*BOUNDS, "fitted_on")
"""What every calibration has."""

IGNORED: Final = ("measured", "narrow_shift", "telephone_shift")
"""What a calibration may hold besides: its measured rates, and corrections for narrow channels, which are not used."""


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

    def rate_at(self, score: float) -> float:
        """The share of strangers that is accepted from that score in (0, 1) on: the inverse of ``score_at``."""
        return self._rate(math.log(score / (1.0 - score)))

    def claimed_rate(self, score: float) -> float | None:
        """The same, ``None`` where the calibration's own recordings and the measured range do not carry it."""
        rate = self.rate_at(score) if 0.0 < score < 1.0 else 1.0
        return rate if self.smallest_rate <= rate <= HIGHEST_RATE else None

    def rate_by(self, other: Calibration, score: float) -> float:
        """The same by the figures of another calibration of the model, at the lengths of speech where it is highest.

        At given lengths this one gives the score to one cosine, to which the other gives a score of its own. Its log
        odds are linear in the logarithms of the lengths between the bounds of both, and so are highest at bounds.
        """
        bounds = sorted({self.min_seconds, self.max_seconds, other.min_seconds, other.max_seconds})
        rates = []
        for shorter, longer in combinations_with_replacement(bounds, 2):
            cosine = self.cosine_at(score, shorter, longer)
            rates.append(other._rate(other._log_odds(cosine, shorter, longer)))
        return max(rates)

    def cosine_at(self, score: float, shorter: float, longer: float) -> float:
        """What gets that score in (0, 1) at these seconds of speech."""
        log_odds = math.log(score / (1.0 - score))
        return (log_odds - self._log_odds(0.0, shorter, longer)) / self.cosine

    def _rate(self, log_odds: float) -> float:
        return math.exp(min(0.0, math.log(self.false_match_rate) - TAIL * log_odds))

    def _log_odds(self, cosine: float, shorter: float, longer: float) -> float:
        """Of the score."""
        low, high = (min(max(seconds, self.min_seconds), self.max_seconds) for seconds in (shorter, longer))
        lengths = self.log_shorter * math.log(low) + self.log_longer * math.log(high)
        return self.bias + self.cosine * cosine + lengths - self.threshold_logit


@dataclass(frozen=True)
class SiteCalibration:
    """A subscription's own calibration, for one model: the scores of another are not touched by it."""

    model_id: str
    calibration: Calibration


@dataclass(frozen=True)
class FalseMatchRate:
    """A threshold as the share of strangers that it lets pass. ``name`` is the parameter, for a refusal."""

    name: str
    rate: float

    def score(self, calibration: Calibration | None) -> float:
        """The score that stands for the rate, as far as the calibration's own recordings carry: the rule of 3.

        Raises ``ParameterInvalid``.
        """
        if calibration is None:
            rule = "The speaker model has no calibration: give a score instead."
            raise ParameterInvalid(self.name, f"{self.rate:g}", rule)
        least = calibration.smallest_rate
        if not least <= self.rate <= HIGHEST_RATE:
            rule = (
                f"The calibration was fitted on {calibration.fitted_speakers:,} speakers, which carries rates from "
                f"{least:.2g} to {HIGHEST_RATE:g}; beyond that give a score."
            )
            raise ParameterInvalid(self.name, f"{self.rate:g}", rule)
        return calibration.score_at(self.rate)


def calibration_from_json(name: str, value: object) -> Calibration:
    """A calibration out of parsed JSON, without the rates that it was measured at.

    ``name`` is the object's, for refusals. Raises ``FieldUnknown``, ``ParameterInvalid``.
    """
    received = known_fields(json_object(name, value), (*CALIBRATION_VALUES, *IGNORED), f"{name}.")
    for field in CALIBRATION_VALUES:
        if field not in received:
            raise ParameterInvalid(f"{name}.{field}", "nothing", "It is part of every calibration.")
    read = {field: within(f"{name}.{field}", received[field], *bounds) for field, bounds in BOUNDS.items()}
    if read["max_seconds"] < read["min_seconds"]:
        raise ParameterInvalid(f"{name}.max_seconds", str(read["max_seconds"]), "It must not be below min_seconds.")
    counts = {field: int(read.pop(field)) for field in ("fitted_speakers", "fitted_trials")}
    fitted_on = text(f"{name}.fitted_on", received["fitted_on"], 500)
    return Calibration(**read, **counts, fitted_on=fitted_on)  # type: ignore[arg-type]  # two dicts, two types
