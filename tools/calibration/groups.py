"""Who passes at a threshold, by length of speech and by group, and whether that contradicts the wanted rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.calibration.comparing import Comparisons, Material, log_odds
from tools.calibration.curves import Curves, Estimate, Scored, curves
from tools.calibration.manifest import Manifest

EVERYBODY: Final = "everybody"
ANYONE: Final = "anyone"
SAME_GROUP: Final = "the same group"
MIN_SPEAKERS: Final = 10
"""Our choice: drawing fewer speakers anew says too little to be sure of. 10 speakers are 45 pairs."""
RESAMPLINGS: Final = 200
GRID: Final = log_odds(np.arange(1, 100) / 100.0)


class Standing(StrEnum):
    """Whether the wanted false-match rate is kept, by the 95 % interval of the rate that was measured."""

    KEPT = "kept"
    OPEN = "perhaps exceeded"
    EXCEEDED = "exceeded"


@dataclass(frozen=True)
class Kind:
    """Comparisons of one length (``full``, ``4 s``) with one group's signatures.

    ``group`` is ``everybody`` or ``gender: f``; ``strangers`` are ``anyone`` or of ``the same group``, who are the
    harder to tell apart. ``curves`` is ``None`` where only one kind of comparison is there.
    """

    length: str
    group: str
    strangers: str
    scored: Scored
    curves: Curves | None

    @property
    def speakers(self) -> int:
        return len(np.unique(self.scored.enrolled))


@dataclass(frozen=True)
class Part:
    """Error rates of one kind at a threshold. Rates are ``None`` where there is nothing of the kind to count."""

    length: str
    group: str
    strangers: str
    speakers: int
    compared_strangers: int
    compared_same: int
    false_match: Estimate | None
    false_non_match: Estimate | None
    standing: Standing


def kinds(every: Comparisons, made: Material, manifest: Manifest) -> list[Kind]:
    """Every length with everybody and with each group, its strangers at large and from the same group."""
    found = []
    for length, (group, strangers, chosen) in product(
        dict.fromkeys(every.trials.length.tolist()), list(_chosen(every, made, manifest))
    ):
        scored = every.where(chosen & (every.trials.length == length)).scored
        if len(scored.logit):
            drawn = curves(scored, GRID, RESAMPLINGS) if scored.both_kinds else None
            found.append(Kind(length, group, strangers, scored, drawn))
    return found


def of_speakers(column: str, made: Material, manifest: Manifest) -> npt.NDArray[np.str_]:
    """Each speaker's value, that of his first recording."""
    first = {row.speaker: row for row in reversed(manifest.rows)}
    return np.array([manifest.value(first[name], column) for name in made.speakers])


def parts(of: Sequence[Kind], logit: float, wanted: float) -> tuple[Part, ...]:
    return tuple(_part(kind, logit, wanted) for kind in of)


def worst(of: Sequence[Part]) -> Standing:
    return max((part.standing for part in of), key=list(Standing).index)


def keeping_all(of: Sequence[Kind], wanted: float) -> float:
    """The lowest threshold, in log-odds, at which no kind with speakers enough is measured above the wanted rate."""
    judged = [kind.curves for kind in of if kind.curves and kind.speakers >= MIN_SPEAKERS]
    return max((drawn.threshold_for(wanted).value for drawn in judged), default=-np.inf)


def _chosen(every: Comparisons, made: Material, manifest: Manifest) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    yield EVERYBODY, ANYONE, np.ones(len(every.logit), np.bool_)
    for column in manifest.groups:
        values = of_speakers(column, made, manifest)
        enrolled, tested = values[every.trials.enrolled], values[every.trials.tested]
        for value in sorted(set(values) - {""}):
            yield f"{column}: {value}", ANYONE, enrolled == value
            yield f"{column}: {value}", SAME_GROUP, (enrolled == value) & (tested == value)


def _part(kind: Kind, logit: float, wanted: float) -> Part:
    same = kind.scored.same
    match, miss = kind.curves.at(logit) if kind.curves else _alone(kind.scored, logit)
    counts = (kind.speakers, int((~same).sum()), int(same.sum()))
    standing = _standing(match, kind.speakers, wanted)
    return Part(kind.length, kind.group, kind.strangers, *counts, match, miss, standing)


def _alone(scored: Scored, logit: float) -> tuple[Estimate | None, Estimate | None]:
    """Without the other kind of comparison there is no curve to draw an interval from: it is left open."""
    if not len(scored.logit[scored.same]):
        return Estimate(float((scored.logit >= logit).mean()), 0.0, 1.0), None
    return None, Estimate(float((scored.logit < logit).mean()), 0.0, 1.0)


def _standing(match: Estimate | None, speakers: int, wanted: float) -> Standing:
    if match is None or match.high <= wanted:
        return Standing.KEPT
    return Standing.EXCEEDED if match.low > wanted and speakers >= MIN_SPEAKERS else Standing.OPEN
