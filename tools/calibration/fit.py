"""The fit: a line of constant false matches through cosine and durations, and how steep the score is around it.

A logistic regression on cosine and log durations orders trials of mixed lengths well, but its 1 % point is only right
on the average: on the development speech strangers passed at 0.2 % with long speech and at 1.8 % with one second. The
99th percentile of strangers' cosines, as a linear function of the log durations (Koenker and Bassett, "Regression
quantiles", 1978), keeps the rate level at every length. The logistic regression then sets the steepness alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.calibration import Calibration
from tools.calibration.trials import Trials

Numbers = npt.NDArray[np.float64]

MIN_SECONDS: Final = 1.0
"""The shortest tests in the fit."""
MAX_SECONDS: Final = 12.0
"""Cosines hardly change with more speech than this."""


@dataclass(frozen=True)
class Line:
    """logit = slope * (cosine - bias - shorter * ln(s) - longer * ln(l)); zero is where the rate is met."""

    slope: float
    bias: float
    shorter: float
    longer: float

    def logit(self, trials: Trials) -> Numbers:
        return self.log_odds(trials.cosine, trials.shorter, trials.longer)

    def log_odds(self, cosine: Numbers, shorter: Numbers, longer: Numbers) -> Numbers:
        """Of cosines [n] and both sides' seconds of speech [n]."""
        stranger_cosine = _durations(shorter, longer) @ np.array([self.bias, self.shorter, self.longer])
        return np.asarray(self.slope * (cosine - stranger_cosine))


def line_of(calibration: Calibration) -> Line:
    """The line that a model card holds, for comparisons by the thousand; the service scores one request at a time."""
    slope = calibration.cosine
    bias = calibration.bias - calibration.threshold_logit
    return Line(slope, -bias / slope, -calibration.log_shorter / slope, -calibration.log_longer / slope)


def fitted(trials: Trials, rate: float) -> Line:
    """The line at which strangers pass at that rate, every kind of trial counting alike."""
    weights = _even(trials)
    strangers = ~trials.same
    durations = _durations(trials.shorter, trials.longer)
    line = _quantile_line(durations[strangers], trials.cosine[strangers], weights[strangers], 1.0 - rate)
    excess = trials.cosine - durations @ line
    slope = _logistic_slope(excess, trials.same, weights)
    return Line(slope, *(float(value) for value in line))


def _durations(shorter: Numbers, longer: Numbers) -> Numbers:
    logs = [np.log(np.clip(seconds, MIN_SECONDS, MAX_SECONDS)) for seconds in (shorter, longer)]
    return np.column_stack([np.ones(len(shorter)), *logs])


def _even(trials: Trials) -> Numbers:
    """Weights under which each channel, number of enrolments and test length counts alike, and so do both classes."""
    lengths = np.unique(trials.length, return_inverse=True)[1]
    columns = trials.channel, trials.enrolments, lengths, trials.same
    kinds = np.unique(np.ravel_multi_index(columns, [int(one.max()) + 1 for one in columns]), return_inverse=True)[1]
    weights = np.asarray(1.0 / np.bincount(kinds)[kinds])
    for chosen in (trials.same, ~trials.same):
        weights[chosen] /= weights[chosen].sum()
    return weights


def _quantile_line(inputs: Numbers, values: Numbers, weights: Numbers, quantile: float) -> Numbers:
    """Weighted quantile regression: majorise-minimise with a shrinking smoothing (Hunter and Lange, 2000)."""
    line: Numbers = np.zeros(inputs.shape[1])
    for smoothing in (1e-1, 3e-2, 1e-2, 3e-3, 1e-3):
        for _ in range(60):
            curvature = weights / (np.abs(values - inputs @ line) + smoothing)
            right = inputs.T @ (curvature * values + (2.0 * quantile - 1.0) * weights)
            before, line = line, np.asarray(np.linalg.solve((inputs.T * curvature) @ inputs, right), np.float64)
            if np.abs(line - before).max() < 1e-7:
                break
    # Smoothing leaves the level a little high; the slopes are right, and the level is a plain quantile.
    line[0] += _quantile(values - inputs @ line, weights, quantile)
    return line


def _quantile(values: Numbers, weights: Numbers, quantile: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, quantile)])


def _logistic_slope(excess: Numbers, same: npt.NDArray[np.bool_], weights: Numbers) -> float:
    """The slope of a weighted logistic regression, by Newton's method."""
    inputs = np.column_stack([np.ones(len(excess)), excess])
    line = np.zeros(2)
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-(inputs @ line)))
        curvature = (inputs.T * (weights * chance * (1.0 - chance))) @ inputs
        step = np.linalg.solve(curvature, inputs.T @ (weights * (same - chance)))
        line += step
        if np.abs(step).max() < 1e-9:
            break
    return float(line[1])
