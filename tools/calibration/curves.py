"""Error rates over a range of thresholds, each with the interval that drawing other speakers would give.

Comparisons of one speaker lean on each other, so speakers are drawn anew, not comparisons (Bolle, Ratha and Pankanti,
"Error analysis of pattern recognition systems: the subsets bootstrap", 2004; Poh and Bengio on DET bands, 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.calibration.evidence import RULE_OF_3
from tools.calibration.metrics import crossing, equal_error, errors_by_threshold, least_cost, min_dcf

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]

RESAMPLINGS: Final = 300
CONFIDENCE: Final = (2.5, 97.5)
"""Percentiles: a 95 % interval."""
GRID: Final = 400
"""Thresholds at which the resampled rates are kept, besides the candidates."""


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scored:
    """Comparisons, one an element: log-odds scores and the numbers of both speakers."""

    logit: Numbers
    enrolled: Whole
    tested: Whole

    @property
    def same(self) -> Flags:
        return np.asarray(self.enrolled == self.tested)

    @property
    def both_kinds(self) -> bool:
        return bool(self.same.any() and not self.same.all())

    def where(self, chosen: Flags) -> Scored:
        return Scored(self.logit[chosen], self.enrolled[chosen], self.tested[chosen])


@dataclass(frozen=True)
class Curves:
    """Rates at thresholds [g] and their resamplings [b, g]. ``scored`` must hold both kinds of comparisons."""

    scored: Scored
    thresholds: Numbers
    false_match: Numbers
    false_non_match: Numbers

    @cached_property
    def _exact(self) -> tuple[Numbers, Numbers, Numbers]:
        return errors_by_threshold(self.scored.logit, self.scored.same)

    def at(self, threshold: float) -> tuple[Estimate, Estimate]:
        """False-match and false-non-match rate at a threshold, in log-odds."""
        logit, same = self.scored.logit, self.scored.same
        nearest = int(np.searchsorted(self.thresholds, threshold))
        nearest = min(nearest, len(self.thresholds) - 1)
        false_match = float((logit[~same] >= threshold).mean())
        false_non_match = float((logit[same] < threshold).mean())
        pairs, speakers = self._independent
        return (
            _at_least(_around(false_match, self.false_match[:, nearest]), pairs),
            _at_least(_around(false_non_match, self.false_non_match[:, nearest]), speakers),
        )

    @cached_property
    def _independent(self) -> tuple[int, int]:
        """Pairs of different speakers, and speakers compared with themselves."""
        same = self.scored.same
        sides = np.sort([self.scored.enrolled[~same], self.scored.tested[~same]], axis=0)
        return len(np.unique(sides, axis=1).T), len(np.unique(self.scored.enrolled[same]))

    @property
    def equal_error(self) -> Estimate:
        return self._estimate(equal_error(self.scored.logit, self.scored.same), crossing)

    @property
    def min_dcf(self) -> Estimate:
        return self._estimate(min_dcf(self.scored.logit, self.scored.same), least_cost)

    def threshold_for(self, rate: float) -> Estimate:
        """The lowest threshold, in log-odds, at which at most this share of strangers passes."""
        thresholds, false_match, _ = self._exact
        below = [self.thresholds[np.argmax(row <= rate)] for row in self.false_match]
        return _around(float(thresholds[np.argmax(false_match <= rate)]), np.array(below))

    def misses_at(self, false_match: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The DET curve: false-non-match rates at these false-match rates, with the ends of the band; each [n]."""
        _, exact_match, exact_non_match = self._exact
        drawn = [_interpolated(false_match, *pair) for pair in zip(self.false_match, self.false_non_match, strict=True)]
        low, high = np.percentile(np.array(drawn), CONFIDENCE, axis=0)
        return _interpolated(false_match, exact_match, exact_non_match), low, high

    def _estimate(self, value: float, metric: Callable[[Numbers, Numbers], float]) -> Estimate:
        pairs = zip(self.false_match, self.false_non_match, strict=True)
        return _around(value, np.array([metric(match, non_match) for match, non_match in pairs]))


def curves(scored: Scored, candidates: Numbers, resamplings: int = RESAMPLINGS) -> Curves:
    """Draw the speakers anew and keep the rates over a grid of thresholds that holds the candidates.

    Raises ``ValueError`` without comparisons of both kinds.
    """
    if not scored.both_kinds:
        raise ValueError("Error rates need comparisons of the same speaker and of strangers.")
    same = scored.same
    spread = [np.quantile(scored.logit[kind], np.linspace(0, 1, GRID // 2)) for kind in (same, ~same)]
    thresholds = np.unique(np.concatenate([*spread, candidates, [scored.logit.max() + 1e-6]]))
    bins = np.searchsorted(thresholds, scored.logit, side="right")  # accepted at thresholds [0, bin)
    own, strangers = (_Side(scored.where(kind), bins[kind], len(thresholds)) for kind in (same, ~same))
    random = np.random.default_rng(0)
    people = np.unique(np.concatenate([scored.enrolled, scored.tested]))
    match: list[Numbers] = []
    non_match: list[Numbers] = []
    while len(match) < resamplings:
        weight = np.bincount(random.choice(people, len(people)), minlength=int(people.max()) + 1).astype(float)
        passed, accepted = strangers.accepted(weight), own.accepted(weight)
        if passed is not None and accepted is not None:
            match.append(passed)
            non_match.append(1.0 - accepted)
    return Curves(scored, thresholds, np.array(match), np.array(non_match))


@dataclass(frozen=True)
class _Side:
    scored: Scored
    bins: Whole
    thresholds: int

    def accepted(self, weight: Numbers) -> Numbers | None:
        """The share at or above each threshold when speakers count this often; none if no comparison is left.

        A pair counts as often as both its speakers together were drawn, a speaker's own comparisons once.
        """
        own = weight[self.scored.enrolled]
        pairs = own if self.scored.same.all() else own * weight[self.scored.tested]
        counted = np.bincount(self.bins, weights=pairs, minlength=self.thresholds + 1)
        total = counted.sum()
        return np.asarray(1.0 - np.cumsum(counted)[:-1] / total) if total else None


def _around(value: float, drawn: Numbers) -> Estimate:
    low, high = (float(end) for end in np.percentile(drawn, CONFIDENCE))
    return Estimate(value, min(low, value), max(high, value))


def _at_least(estimate: Estimate, independent: int) -> Estimate:
    """Drawing speakers anew finds no errors where none were seen; the rule of 3 says what they may hide."""
    if estimate.value:
        return estimate
    return replace(estimate, high=max(estimate.high, min(1.0, RULE_OF_3 / independent)))


def _interpolated(at: Numbers, false_match: Numbers, false_non_match: Numbers) -> Numbers:
    """Both rates run with ascending thresholds; equal false-match rates keep their least false-non-match rate."""
    rates, first = np.unique(false_match, return_index=True)
    return np.asarray(np.interp(at, rates, false_non_match[first]))
