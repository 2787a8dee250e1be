"""Single numbers for how well scores tell the same speaker from strangers, and what they are worth as evidence.

Scores are natural log-odds, larger for the same speaker; ``same`` marks the comparisons of one speaker with himself.
All functions want at least one comparison of each kind and raise ``ValueError`` otherwise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TARGET_PRIOR: Final = 0.01
"""How often the claimed speaker is the right one, in minDCF: the p = 0.01 of NIST's evaluations since 2010."""


def errors_by_threshold(scores: Numbers, same: Flags) -> tuple[Numbers, Numbers, Numbers]:
    """Every threshold that matters with its false-match and its false-non-match rate, shape [n] each.

    Accepted is a score at or above the threshold. Thresholds ascend from -inf (all accepted) to +inf (none): the two
    rates are the DET curve of Martin et al., "The DET curve in assessment of detection task performance", 1997.
    """
    _require_both(same)
    values, index = np.unique(scores, return_inverse=True)
    strangers = np.bincount(index, weights=~same, minlength=len(values))
    own = np.bincount(index, weights=same, minlength=len(values))
    false_match = 1.0 - np.concatenate([[0.0], np.cumsum(strangers)]) / strangers.sum()
    false_non_match = np.concatenate([[0.0], np.cumsum(own)]) / own.sum()
    return np.concatenate([values, [np.inf]]), np.clip(false_match, 0.0, 1.0), np.clip(false_non_match, 0.0, 1.0)


def equal_error(scores: Numbers, same: Flags) -> float:
    """Where false matches and false non-matches are equally frequent: the mean of the two at their nearest point."""
    _, false_match, false_non_match = errors_by_threshold(scores, same)
    return crossing(false_match, false_non_match)


def crossing(false_match: Numbers, false_non_match: Numbers) -> float:
    nearest = int(np.argmin(np.abs(false_non_match - false_match)))
    return float(false_non_match[nearest] + false_match[nearest]) / 2.0


def min_dcf(scores: Numbers, same: Flags, prior: float = TARGET_PRIOR) -> float:
    """The least detection cost over all thresholds, costs of one each, normalised.

    NIST Speaker Recognition Evaluation plans (2010 and later): p * FNMR + (1 - p) * FMR, divided by what accepting
    or refusing everybody would cost, min(p, 1 - p). 1 is useless, 0 perfect.
    """
    _, false_match, false_non_match = errors_by_threshold(scores, same)
    return least_cost(false_match, false_non_match, prior)


def least_cost(false_match: Numbers, false_non_match: Numbers, prior: float = TARGET_PRIOR) -> float:
    cost = prior * false_non_match + (1.0 - prior) * false_match
    return float(cost.min() / min(prior, 1.0 - prior))


def cllr(log_ratios: Numbers, same: Flags) -> float:
    """The cost of the log-likelihood ratios in bits; 0 is perfect, 1 what silence would cost.

    Brümmer and du Preez, "Application-independent evaluation of speaker detection", 2006: the mean of log2(1 + 1/r)
    over the same speaker and of log2(1 + r) over strangers, halved.
    """
    _require_both(same)
    missed = np.logaddexp(0.0, -log_ratios[same]).mean()
    passed = np.logaddexp(0.0, log_ratios[~same]).mean()
    return float((missed + passed) / (2.0 * np.log(2.0)))


def shifted_cllr(log_odds: Numbers, same: Flags) -> float:
    """The least Cllr that adding one constant to all scores can give.

    Our scores put 0.5 at a stated false-match rate and not at a likelihood ratio of one. That choice is a constant;
    what is left besides it is the scores' own fault.
    """
    _require_both(same)
    weights = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    low, high = -50.0 - float(log_odds.max()), 50.0 - float(log_odds.min())
    for _ in range(80):  # bisection on the derivative, which ascends
        middle = (low + high) / 2.0
        chance = 0.5 * (1.0 + np.tanh(0.5 * (log_odds + middle)))
        if (weights * (chance - same)).sum() < 0.0:
            low = middle
        else:
            high = middle
    return cllr(log_odds + (low + high) / 2.0, same)


def min_cllr(scores: Numbers, same: Flags) -> float:
    """Cllr after the best monotone recalibration of these very scores: what is lost by order alone.

    The pool-adjacent-violators algorithm gives it (Brümmer and du Preez, 2006, section 5; Ayer et al., 1955).
    """
    _require_both(same)
    chance = isotonic(scores, same)
    with np.errstate(divide="ignore"):
        log_ratios = np.log(chance) - np.log1p(-chance) - np.log(same.sum() / (~same).sum())
    return cllr(log_ratios, same)


def isotonic(scores: Numbers, same: Flags) -> Numbers:
    """The best non-descending chance of being the same speaker for each comparison, shape [n], in the given order."""
    values, index = np.unique(scores, return_inverse=True)
    counts = np.bincount(index, minlength=len(values)).astype(float)
    own = np.bincount(index, weights=same, minlength=len(values))
    blocks: list[tuple[float, float, int]] = []  # own, comparisons, distinct scores
    for hits, size in zip(own.tolist(), counts.tolist(), strict=True):
        block = (hits, size, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    levels = np.repeat([hits / size for hits, size, _ in blocks], [distinct for _, _, distinct in blocks])
    return np.asarray(levels[index], np.float64)


def _require_both(same: Flags) -> None:
    if not same.any() or same.all():
        raise ValueError("Error rates need comparisons of the same speaker and of strangers.")
