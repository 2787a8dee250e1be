"""A calibration from comparisons, in the form of the model card, with rates measured on speakers outside the fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.domain.calibration import Calibration, MeasuredRates
from tools.calibration.curves import Scored, curves
from tools.calibration.fit import MAX_SECONDS, MIN_SECONDS, Line, fitted
from tools.calibration.trials import Numbers, Trials, joined

MIN_SPEAKERS: Final = 20
"""Below this no line is fitted: each half of ten speakers has 45 pairs, too few for the highest of a hundred scores."""


def calibration(line: Line, rate: float, about: str, trials: Trials, rates: Sequence[MeasuredRates]) -> Calibration:
    """``line`` as the service reads it. ``about`` says what it was fitted on."""
    return Calibration(
        bias=round(-line.slope * line.bias, 4),
        cosine=round(line.slope, 4),
        log_shorter=round(-line.slope * line.shorter, 4),
        log_longer=round(-line.slope * line.longer, 4),
        threshold_logit=0.0,
        false_match_rate=rate,
        min_seconds=round(max(MIN_SECONDS, float(trials.shorter.min())), 1),
        max_seconds=MAX_SECONDS,
        fitted_on=about,
        fitted_speakers=len(np.unique(trials.enrolled)),
        fitted_trials=len(trials.cosine),
        measured=tuple(rates),
    )


Halves = Sequence[tuple[Sequence[int], Line]]


def halves(fit: Trials, speakers: Sequence[int], rate: float) -> Halves:
    """Each half of the speakers with the line that the other gives."""
    pair = speakers[::2], speakers[1::2]
    return [(half, fitted(fit.among(other), rate)) for half, other in (pair, pair[::-1])]


def held_out(every: Trials, parts: Halves, enrolments: Sequence[int], lengths: Sequence[str]) -> list[MeasuredRates]:
    """Each half of the speakers measured with the line that the other half gave."""
    halved = [(every.among(half), line) for half, line in parts]
    rates = []
    for count in enrolments:
        for length in lengths:
            chosen = [(part.of(count, length), line) for part, line in halved]
            if not all(part.same.any() and not part.same.all() for part, _ in chosen):
                continue
            logit = np.concatenate([line.logit(part) for part, line in chosen])
            rates.append(measured(joined([part for part, _ in chosen]), logit, length, count))
    return rates


def measured(trials: Trials, logit: Numbers, test: str, enrolments: int) -> MeasuredRates:
    """Rates at logit 0, with their 95 % intervals."""
    drawn = curves(Scored(logit, trials.enrolled, trials.tested), np.zeros(1))
    match, miss = drawn.at(0.0)
    return MeasuredRates(
        test=test,
        enrolments=enrolments,
        speakers=len(np.unique(trials.enrolled)),
        strangers=int((~trials.same).sum()),
        same=int(trials.same.sum()),
        false_match=round(match.value, 5),
        false_match_low=round(match.low, 5),
        false_match_high=round(match.high, 5),
        false_non_match=round(miss.value, 5),
        false_non_match_low=round(miss.low, 5),
        false_non_match_high=round(miss.high, 5),
        equal_error=round(drawn.equal_error.value, 5),
    )
