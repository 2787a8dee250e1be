"""What the laboratory reports: every figure of the report as a value, worked out from the comparisons."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared.domain.calibration import Calibration
from shared.inference.calibration import sigmoid
from tools.calibration.comparing import Comparisons, Material
from tools.calibration.curves import Curves, Estimate, curves
from tools.calibration.evidence import Evidence, Verdict
from tools.calibration.groups import GRID, Kind, Part, Standing, keeping_all, of_speakers, parts, worst
from tools.calibration.hearing import Heard
from tools.calibration.manifest import Manifest
from tools.calibration.metrics import cllr, min_cllr, shifted_cllr

CANDIDATES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Thresholds in the report's table, as scores on the wire."""
WORST: Final = 10
EACH: Final = 2
MANY: Final = 0.3
"""Share of strangers from different groups above which the report warns."""
HIGHEST: Final = 0.999
"""The highest threshold ever recommended; the settings allow every number below 1."""


@dataclass(frozen=True)
class Refusals:
    """Recordings that the service refused for one reason."""

    reason: str
    count: int
    message: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class AtThreshold:
    """Error rates when scores from ``threshold`` up are accepted."""

    threshold: float
    false_match: Estimate
    false_non_match: Estimate


@dataclass(frozen=True)
class Pair:
    """One comparison to listen to."""

    score: float
    enrolled: str
    tested: str
    enrolled_paths: tuple[str, ...]
    tested_path: str


@dataclass(frozen=True)
class InForce:
    """What scores and decides now: whose calibration, and the threshold for verification."""

    calibration: str
    threshold: float


@dataclass(frozen=True)
class Advice:
    """A threshold with its rates, for everybody with whole recordings and in ``parts``."""

    at: AtThreshold
    parts: tuple[Part, ...]

    @property
    def standing(self) -> Standing:
        return worst(self.parts)

    def of(self, standing: Standing) -> list[Part]:
        return [part for part in self.parts if part.standing is standing]


@dataclass(frozen=True)
class Recommendation:
    """``plain`` meets the wanted rate on these recordings, ``cautious`` for 97.5 % of drawn speakers.

    ``confirmed``: ``plain`` is what is in force. ``keeping_all``: from this score on no group is measured above the
    wanted rate.
    """

    wanted: float
    confirmed: bool
    plain: Advice
    cautious: Advice
    keeping_all: float


@dataclass(frozen=True)
class Site:
    """A calibration fitted on these recordings, with its rates at 0.5 in every group, and what the service says to it.

    ``rate_by_model``: the share of strangers at 0.5 by the model's own figures; ``None`` where it has none.
    """

    calibration: Calibration
    parts: tuple[Part, ...]
    in_force: bool
    rate_by_model: float | None

    @property
    def standing(self) -> Standing:
        return worst(self.parts)


@dataclass(frozen=True)
class Overall:
    equal_error: Estimate
    min_dcf: Estimate
    cllr: float
    cllr_shifted: float
    cllr_min: float


@dataclass(frozen=True)
class Report:
    manifest: str
    date: str
    model_id: str
    rules: str
    enrollments: int
    in_force: InForce
    recordings: int
    speakers: int
    signatures: int
    unenrolled: tuple[str, ...]
    refusals: tuple[Refusals, ...]
    evidence: Evidence
    verdict: str
    notes: tuple[str, ...]
    overall: Overall
    recommended: Recommendation
    thresholds: tuple[AtThreshold, ...]
    highest_strangers: tuple[Pair, ...]
    lowest_same: tuple[Pair, ...]
    site: Site | None
    no_calibration_because: str
    curves: Curves = field(repr=False)


def refusals(manifest: Manifest, heard: Sequence[Sequence[Heard]]) -> tuple[Refusals, ...]:
    """Failures to enrol or acquire, most frequent first."""
    counted = Counter(results[0].refusal for results in heard if results[0].refusal)
    found = []
    for reason, count in counted.most_common():
        rows = [index for index, results in enumerate(heard) if results[0].refusal == reason]
        paths = tuple(str(manifest.rows[index].path) for index in rows[:5])
        found.append(Refusals(reason, count, heard[rows[0]][0].message, paths))
    return tuple(found)


def main_curves(full: Comparisons) -> Curves:
    return curves(full.scored, GRID)


def overall(drawn: Curves) -> Overall:
    logit, same = drawn.scored.logit, drawn.scored.same
    costs = (cllr(logit, same), shifted_cllr(logit, same), min_cllr(logit, same))
    return Overall(drawn.equal_error, drawn.min_dcf, *costs)


def at_threshold(drawn: Curves, score: float) -> AtThreshold:
    return AtThreshold(score, *drawn.at(_logit(score)))


def recommendation(
    drawn: Curves, of: Sequence[Kind], wanted: float, in_force: float, known: Evidence
) -> Recommendation:
    """What is in force is confirmed unless it surely lets too many pass somewhere, or is stricter than need be. Too
    little data says nothing of the need.

    Scores are rounded up to three places: rounding must not let more strangers in.
    """
    found = drawn.threshold_for(wanted)
    lowest, cautious, every = (_rounded_up(logit) for logit in (found.value, found.high, keeping_all(of, wanted)))
    now = _advice(drawn, of, in_force, wanted)
    strict_enough = in_force <= max(cautious, every) or known.verdict is Verdict.TOO_LITTLE
    confirmed = now.standing is not Standing.EXCEEDED and strict_enough
    plain = now if confirmed else _advice(drawn, of, lowest, wanted)
    strict = _advice(drawn, of, max(cautious, plain.at.threshold), wanted)
    return Recommendation(wanted, confirmed, plain, strict, every)


def _advice(drawn: Curves, of: Sequence[Kind], score: float, wanted: float) -> Advice:
    return Advice(at_threshold(drawn, score), parts(of, _logit(score), wanted))


def evidence(full: Comparisons, wanted: float) -> Evidence:
    """Pairs of different speakers, whichever of the two was enrolled."""
    strangers = full.trials.where(~full.trials.same)
    first, second = np.sort([strangers.enrolled, strangers.tested], axis=0)
    people = np.unique(np.concatenate([full.trials.enrolled, full.trials.tested]))
    return Evidence(len(people), len(set(zip(first.tolist(), second.tolist(), strict=True))), wanted)


def notes(full: Comparisons, made: Material, manifest: Manifest) -> Iterator[str]:
    """What the rates do not show, where these recordings give reason to say so."""
    same = full.trials.same
    own = len(np.unique(full.trials.enrolled[same]))
    yield f"False non-matches rest on {own} speakers' comparisons with themselves."
    if not any(row.session for row in manifest.rows):
        yield (
            "No sessions are named, so a voice is compared with itself within one session. On another day, in another "
            "room or through another microphone, own voices will be refused more often than shown here."
        )
    for column in manifest.groups:
        of_speaker = of_speakers(column, made, manifest)
        enrolled, tested = (of_speaker[side[~same]] for side in (full.trials.enrolled, full.trials.tested))
        crossing = float((enrolled != tested).mean())
        if crossing > MANY:
            yield (
                f"{crossing:.0%} of the comparisons of strangers are between different values of {column}; such "
                "strangers are easily told apart. The rates within each value are in the table by group."
            )


def worst_pairs(full: Comparisons, made: Material, manifest: Manifest, same: bool) -> tuple[Pair, ...]:
    """The lowest of a speaker's own scores, or strangers' highest; of each two speakers the worst ``EACH`` alone."""
    chosen = np.nonzero(full.trials.same == same)[0]
    order = chosen[np.argsort(full.logit[chosen] if same else -full.logit[chosen])]
    pairs, seen = [], Counter[tuple[int, int]]()
    for index in order:
        enrolled, test = made.enrolled[full.enrolled_at[index]], made.tests[full.tested_at[index]]
        met = (enrolled.speaker, test.speaker)
        if seen[met] == EACH:
            continue
        seen[met] += 1
        paths = tuple(str(manifest.rows[row].path) for row in sorted(enrolled.rows))
        score = float(sigmoid(full.logit[index : index + 1])[0])
        names = made.speakers[enrolled.speaker], made.speakers[test.speaker]
        pairs.append(Pair(score, *names, paths, str(manifest.rows[test.row].path)))
        if len(pairs) == WORST:
            break
    return tuple(pairs)


def _logit(score: float) -> float:
    return math.log(score / (1.0 - score))


def _rounded_up(logit: float) -> float:
    score = float(sigmoid(np.array([logit], np.float64))[0])
    return min(HIGHEST, max(0.001, math.ceil(score * 1000.0) / 1000.0))
