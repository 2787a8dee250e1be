"""Verification: every enrolment against every test, scored with a calibration that has not seen the speakers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Final
from zlib import crc32

import numpy as np

from shared.domain.profile import Signature
from tools.calibration.curves import Estimate, Scored, curves
from tools.calibration.fit import Line
from tools.calibration.hearing import Heard
from tools.calibration.progress import progress
from tools.calibration.trials import GROUP, GROUPS, Enrolled, Test, Trials, Voice, joined, trials
from tools.evaluation.degradations import Condition
from tools.evaluation.ears import Ear
from tools.evaluation.pieces import DataSet, Piece, Speaker

RESAMPLINGS: Final = 200
THREADS: Final = 2
"""Speakers heard at once: the network computes without Python's lock."""


@dataclass(frozen=True)
class Compared:
    """What a system made of a data set under one condition. ``refused`` and ``asked`` count tests by length."""

    voices: tuple[Voice, ...]
    trials: Trials
    refused: Mapping[str, int]
    asked: Mapping[str, int]


@dataclass(frozen=True)
class Rates:
    strangers: int
    same: int
    equal_error: Estimate
    false_match: Estimate
    false_non_match: Estimate


def compared(
    data: DataSet,
    ear: Ear,
    tested: Condition,
    enrolled: Condition | Sequence[Voice],
    lengths: Sequence[str],
    first_only: bool,
    what: str,
    channel: int = 0,
) -> Compared:
    """All comparisons of a data set; tests changed by a condition, enrolments by another or those of known voices."""
    asked, refused = Counter[str](), Counter[str]()

    def voice(number: int) -> Voice:
        speaker, tests = data.speakers[number], []
        for piece in speaker.tests:
            if piece.length not in lengths or (first_only and piece.number):
                continue
            heard = heard_as(ear, tested, speaker, piece)
            asked[piece.length] += 1
            if heard.embedding is None:
                refused[piece.length] += 1
            else:
                tests.append(Test(piece.groups, piece.length, heard.embedding, heard.speech_seconds))
        if isinstance(enrolled, Condition):
            return Voice(_enrolments(speaker, ear, enrolled), tuple(tests))
        return Voice(enrolled[number].enrolled, tuple(tests))

    with ThreadPoolExecutor(THREADS) as pool:
        coming = pool.map(voice, range(len(data.speakers)))
        voices = tuple(next(coming) for _ in progress(data.speakers, what))
    return Compared(voices, trials(voices, channel), refused, asked)


def _enrolments(speaker: Speaker, ear: Ear, condition: Condition) -> tuple[Enrolled, ...]:
    """Of 1, 3 and 6 recordings, as the calibration's; none of a stranger."""
    if speaker.is_stranger:
        return ()
    takes: dict[int, list[Heard]] = {group: [] for group in range(GROUPS)}
    for piece in speaker.takes:
        heard = heard_as(ear, condition, speaker, piece)
        if heard.embedding is not None:
            (group,) = piece.groups
            takes[group].append(heard)
    made = [enrolment([take], {group}) for group, several in takes.items() for take in several]
    made += [enrolment(several, {group}) for group, several in takes.items() if len(several) == GROUP]
    made += [
        enrolment([*takes[a], *takes[b]], {a, b})
        for a, b in combinations(range(GROUPS), 2)
        if len(takes[a]) == len(takes[b]) == GROUP
    ]
    return tuple(made)


def enrolment(takes: Sequence[Heard], groups: set[int]) -> Enrolled:
    """The domain's own signature of these recordings."""
    enrollments = [take.enrollment("any") for take in takes]
    signature = reduce(Signature.plus, enrollments[1:], enrollments[0].signature)
    return Enrolled(frozenset(groups), len(takes), signature.direction, signature.speech_seconds)


def heard_as(ear: Ear, condition: Condition, speaker: Speaker, piece: Piece) -> Heard:
    """What is random about a condition depends on the piece alone, so every run hears the same."""
    which = f"{sorted(piece.groups)} {piece.length} {piece.number}"
    seed = crc32(f"{condition.name} {speaker.name} {which}".encode())
    return ear(condition.change(piece.samples, np.random.default_rng(seed)))


def within_halves(every: Trials, lines: Sequence[Line], parts: Sequence[Sequence[int]]) -> tuple[Trials, Scored]:
    """The comparisons inside each part, scored with its line."""
    chosen = [every.among(part) for part in parts]
    logit = np.concatenate([line.logit(one) for line, one in zip(lines, chosen, strict=True)])
    every = joined(chosen)
    return every, Scored(logit, every.enrolled, every.tested)


def rates(of: Trials, scored: Scored, enrolments: int, length: str, resamplings: int = RESAMPLINGS) -> Rates:
    """At score 0.5, for one number of enrolled recordings and one length of test."""
    chosen = scored.where((of.enrolments == enrolments) & (of.length == length))
    drawn = curves(chosen, np.array([0.0]), resamplings)
    same = int(chosen.same.sum())
    return Rates(len(chosen.logit) - same, same, drawn.equal_error, *drawn.at(0.0))
