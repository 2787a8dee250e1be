"""What the laboratory reports: every figure of the report as a value, worked out from the comparisons."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.calibration import Calibration
from shared.domain.decision import ACCEPT_SCORE
from shared.inference.calibration import sigmoid
from tools.calibration.comparing import Comparisons, Material, log_odds
from tools.calibration.curves import Curves, Estimate, Scored, curves
from tools.calibration.evidence import Evidence
from tools.calibration.hearing import FULL, Heard
from tools.calibration.manifest import Manifest
from tools.calibration.metrics import cllr, min_cllr, shifted_cllr

CANDIDATES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Thresholds in the report's table, as scores on the wire."""
BUCKETS: Final = ((0.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, math.inf))
"""Net seconds of speech in the tested recording; 4 s is what the API asks for without ``ignoreMinLength``."""
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
class Part:
    """One kind of comparisons. Rates are ``None`` where there is nothing of the kind to count."""

    name: str
    value: str
    speakers: int
    same: int
    strangers: int
    false_match: Estimate | None
    false_non_match: Estimate | None
    equal_error: float | None


@dataclass(frozen=True)
class Pair:
    """One comparison to listen to."""

    score: float
    enrolled: str
    tested: str
    enrolled_paths: tuple[str, ...]
    tested_path: str


@dataclass(frozen=True)
class Recommendation:
    """``threshold`` meets the wanted rate on these recordings; ``cautious`` meets it for 97.5 % of drawn speakers."""

    wanted: float
    threshold: float
    cautious: float
    at_threshold: AtThreshold
    at_cautious: AtThreshold


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
    in_force: float
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
    lengths: tuple[Part, ...]
    groups: tuple[Part, ...]
    highest_strangers: tuple[Pair, ...]
    lowest_same: tuple[Pair, ...]
    site_calibration: Calibration | None
    no_calibration_because: str
    curves: Curves = field(repr=False)


@dataclass(frozen=True)
class Setting:
    """What the person at the terminal asked for."""

    wanted: float
    in_force: float = ACCEPT_SCORE


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
    return curves(full.scored, log_odds(np.array(CANDIDATES)))


def overall(drawn: Curves) -> Overall:
    logit, same = drawn.scored.logit, drawn.scored.same
    costs = (cllr(logit, same), shifted_cllr(logit, same), min_cllr(logit, same))
    return Overall(drawn.equal_error, drawn.min_dcf, *costs)


def at_threshold(drawn: Curves, score: float) -> AtThreshold:
    return AtThreshold(score, *drawn.at(_logit(score)))


def recommendation(drawn: Curves, wanted: float) -> Recommendation:
    """Scores are rounded up to three places: rounding must not let more strangers in."""
    found = drawn.threshold_for(wanted)
    threshold, cautious = (_rounded_up(logit) for logit in (found.value, found.high))
    return Recommendation(wanted, threshold, cautious, at_threshold(drawn, threshold), at_threshold(drawn, cautious))


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
        of_speaker = _of_speakers(column, made, manifest)
        enrolled, tested = (of_speaker[side[~same]] for side in (full.trials.enrolled, full.trials.tested))
        crossing = float((enrolled != tested).mean())
        if crossing > MANY:
            yield (
                f"{crossing:.0%} of the comparisons of strangers are between different values of {column}; such "
                "strangers are easily told apart. The rates within each value are in the table by group."
            )


def by_length(every: Comparisons, tests: Material, in_force: float) -> tuple[Part, ...]:
    """Whole recordings by their seconds of speech, and each length they were cut to."""
    seconds = np.array([test.speech_seconds for test in tests.tests])[every.tested_at]
    full = every.trials.length == FULL
    kinds = [
        (_bucket(low, high), full & (seconds >= low) & (seconds < high))
        for low, high in BUCKETS
        if (full & (seconds >= low) & (seconds < high)).any()
    ]
    cuts = [name for name in dict.fromkeys(test.length for test in tests.tests) if name != FULL]
    kinds += [(f"cut to {name}", every.trials.length == name) for name in cuts]
    return tuple(part("speech", name, every.where(chosen).scored, in_force) for name, chosen in kinds)


def by_group(full: Comparisons, tests: Material, manifest: Manifest, in_force: float) -> tuple[Part, ...]:
    """Within each group: a group's own against itself, and against strangers of the same group, who are the harder."""
    parts = []
    for column in manifest.groups:
        of_speaker = _of_speakers(column, tests, manifest)
        enrolled, tested = of_speaker[full.trials.enrolled], of_speaker[full.trials.tested]
        for value in sorted(set(of_speaker) - {""}):
            chosen = full.where((enrolled == value) & (tested == value)).scored
            if len(chosen.logit):
                parts.append(part(column, str(value), chosen, in_force))
    return tuple(parts)


def _of_speakers(column: str, made: Material, manifest: Manifest) -> npt.NDArray[np.str_]:
    """Each speaker's value, that of his first recording."""
    first = {row.speaker: row for row in reversed(manifest.rows)}
    return np.array([manifest.value(first[name], column) for name in made.speakers])


def part(name: str, value: str, scored: Scored, in_force: float) -> Part:
    same = scored.same
    people = len(np.unique(np.concatenate([scored.enrolled, scored.tested])))
    counts = (people, int(same.sum()), int((~same).sum()))
    if not scored.both_kinds:
        threshold = _logit(in_force)
        miss = float((scored.logit[same] < threshold).mean()) if same.any() else None
        match = float((scored.logit[~same] >= threshold).mean()) if (~same).any() else None
        return Part(name, value, *counts, _alone(match), _alone(miss), None)
    drawn = curves(scored, np.array([_logit(in_force)]), resamplings=200)
    return Part(name, value, *counts, *drawn.at(_logit(in_force)), drawn.equal_error.value)


def worst(full: Comparisons, made: Material, manifest: Manifest, same: bool) -> tuple[Pair, ...]:
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


def _bucket(low: float, high: float) -> str:
    if not low:
        return f"below {high:g} s"
    return f"{low:g} to {high:g} s" if math.isfinite(high) else f"{low:g} s and more"


def _alone(rate: float | None) -> Estimate | None:
    """Without the other kind of comparison there is no curve to draw an interval from: it is left open."""
    return None if rate is None else Estimate(rate, 0.0, 1.0)


def _logit(score: float) -> float:
    return math.log(score / (1.0 - score))


def _rounded_up(logit: float) -> float:
    score = float(sigmoid(np.array([logit], np.float64))[0])
    return min(HIGHEST, max(0.001, math.ceil(score * 1000.0) / 1000.0))
