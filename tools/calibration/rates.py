"""Error rates at the operating point, with intervals that know that speakers, not comparisons, are the sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.domain.calibration import MeasuredRates
from tools.calibration.metrics import equal_error
from tools.calibration.trials import Trials

Numbers = npt.NDArray[np.float64]

RESAMPLINGS = 1000


def measured(trials: Trials, logit: Numbers, test: str, enrolments: int) -> MeasuredRates:
    """Rates at logit 0; 95 % intervals by drawing the speakers anew (Bolle et al., subset bootstrap, 2004)."""
    same = trials.same
    low, high = _interval(trials.where(~same), logit[~same] >= 0.0)
    miss_low, miss_high = _interval(trials.where(same), logit[same] < 0.0)
    return MeasuredRates(
        test=test,
        enrolments=enrolments,
        speakers=len(np.unique(trials.enrolled)),
        strangers=int((~same).sum()),
        same=int(same.sum()),
        false_match=round(float((logit[~same] >= 0.0).mean()), 5),
        false_match_low=round(low, 5),
        false_match_high=round(high, 5),
        false_non_match=round(float((logit[same] < 0.0).mean()), 5),
        false_non_match_low=round(miss_low, 5),
        false_non_match_high=round(miss_high, 5),
        equal_error=round(equal_error(logit, same), 5),
    )


def _interval(trials: Trials, errors: npt.NDArray[np.bool_]) -> tuple[float, float]:
    size = int(max(trials.enrolled.max(), trials.tested.max())) + 1
    counts, wrong = np.zeros((size, size)), np.zeros((size, size))
    np.add.at(counts, (trials.enrolled, trials.tested), 1.0)
    np.add.at(wrong, (trials.enrolled, trials.tested), errors.astype(float))
    # A speaker compared with itself is drawn with its own weight, a pair with the product of both.
    single = bool((trials.enrolled == trials.tested).all())
    random = np.random.default_rng(0)
    present = np.unique(trials.enrolled)
    rates = []
    for _ in range(RESAMPLINGS):
        weight = np.bincount(random.choice(present, len(present)), minlength=size).astype(float)
        pairs = np.diag(weight) if single else np.outer(weight, weight)
        rates.append(float((pairs * wrong).sum() / (pairs * counts).sum()))
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)
