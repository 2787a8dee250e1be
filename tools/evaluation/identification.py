"""Open-set identification: a list of candidates, and a speaker who may be none of them.

Decided as the service decides: the best candidate's score, corrected for the length of the list by
``shared.domain.decision.open_set``, against 0.5. Beside it the same without that, to show what it is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.decision import Decision, open_set
from shared.inference.calibration import sigmoid
from tools.calibration.curves import CONFIDENCE, Estimate
from tools.calibration.evidence import RULE_OF_3

Numbers = npt.NDArray[np.float64]

LISTS: Final = 5
"""Lists drawn for each test: more would only repeat the same voices."""
RESAMPLINGS: Final = 500


@dataclass(frozen=True)
class Asked:
    """One recording against every profile: ``logit`` [n]; ``own`` is the profile of the speaker himself."""

    speaker: int
    own: int
    logit: Numbers


@dataclass(frozen=True)
class Outcome:
    """Shares of tests, with 95 % intervals over the speakers who were tested.

    ``misses`` are enrolled speakers who were not named, for whatever reason; ``mistaken`` those of them for whom
    another was named; ``false_alarms`` strangers who were named as somebody.
    """

    candidates: int
    speakers: int
    tests: int
    rank_1: Estimate
    misses: Estimate
    mistaken: Estimate
    false_alarms: Estimate


@dataclass(frozen=True)
class _Answer:
    speaker: int
    value: bool


def outcome(asked: Sequence[Asked], candidates: int, shifted: bool) -> Outcome:
    """Each test with its own profile among so many, and again with so many others alone."""
    random = np.random.default_rng(0)
    answers: dict[str, list[_Answer]] = {name: [] for name in ("rank_1", "misses", "mistaken", "false_alarms")}
    for one in asked:
        others = np.delete(np.arange(len(one.logit)), one.own)
        for _ in range(LISTS):
            drawn = random.choice(others, min(candidates, len(others)), replace=False)
            alone = one.logit[drawn]
            present = drawn[: candidates - 1]
            own = float(one.logit[one.own])
            first = own > float(one.logit[present].max())
            named = _accepted(max(own, float(one.logit[present].max())), candidates, shifted)
            answers["rank_1"].append(_Answer(one.speaker, first))
            answers["misses"].append(_Answer(one.speaker, not (first and named)))
            answers["mistaken"].append(_Answer(one.speaker, named and not first))
            answers["false_alarms"].append(_Answer(one.speaker, _accepted(float(alone.max()), len(drawn), shifted)))
    shares = {name: _share(given) for name, given in answers.items()}
    return Outcome(candidates, len({one.speaker for one in asked}), len(asked), **shares)


def _accepted(logit: float, candidates: int, shifted: bool) -> bool:
    score = float(sigmoid(np.array([logit], np.float64))[0])
    return Decision(open_set(score, candidates) if shifted else score).accepted


def _share(answers: Sequence[_Answer]) -> Estimate:
    """With an interval by drawing speakers anew; after no error at all, the rule of 3 over the speakers."""
    people = sorted({answer.speaker for answer in answers})
    values = [np.array([answer.value for answer in answers if answer.speaker == one], float) for one in people]
    sums, counts = np.array([value.sum() for value in values]), np.array([len(value) for value in values])
    random = np.random.default_rng(0)
    drawn = random.integers(len(people), size=(RESAMPLINGS, len(people)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), CONFIDENCE)
    value = float(sums.sum() / counts.sum())
    unseen = min(1.0, RULE_OF_3 / len(people))
    if value in (0.0, 1.0):
        return Estimate(value, min(value, 1.0 - unseen), 1.0) if value else Estimate(value, 0.0, unseen)
    return Estimate(value, float(low), float(high))
