"""Comparisons between enrolments and tests of many lengths, out of a few recordings of each speaker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import SAMPLE_RATE, Samples, Vector

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GROUP: Final = 3
"""Recordings joined into one long test, and pooled into one enrolment: a passphrase is enrolled three times."""
GROUPS: Final = 3
CUT_SECONDS: Final = (4, 2, 1)
CUTS: Final = 3
"""Tests of each length cut from one joined recording."""

Embed = Callable[[Samples], Vector]


@dataclass(frozen=True)
class Test:
    group: int
    length: str
    embedding: Vector = field(repr=False)
    seconds: float


@dataclass(frozen=True)
class Enrolled:
    groups: frozenset[int]
    count: int
    direction: Vector = field(repr=False)
    seconds: float


@dataclass(frozen=True)
class Voice:
    """One speaker's enrolments and tests."""

    enrolled: tuple[Enrolled, ...]
    tests: tuple[Test, ...]


@dataclass(frozen=True)
class Trials:
    """One comparison an element. ``enrolled`` and ``tested`` number the speakers."""

    cosine: Numbers
    shorter: Numbers
    longer: Numbers
    enrolled: npt.NDArray[np.int64]
    tested: npt.NDArray[np.int64]
    enrolments: npt.NDArray[np.int64]
    length: npt.NDArray[np.str_]

    @property
    def same(self) -> Flags:
        return np.asarray(self.enrolled == self.tested)

    def where(self, chosen: Flags) -> Trials:
        return Trials(**{name: values[chosen] for name, values in vars(self).items()})

    def among(self, speakers: Sequence[int]) -> Trials:
        return self.where(np.isin(self.enrolled, speakers) & np.isin(self.tested, speakers))

    def of(self, enrolments: int, length: str) -> Trials:
        return self.where((self.enrolments == enrolments) & (self.length == length))


def voice(recordings: Sequence[Samples], embed: Embed) -> Voice:
    """Nine recordings, silence removed, as enrolments of 1, 3 and 6 of them and tests in full and cut."""
    takes = [(embed(speech), len(speech) / SAMPLE_RATE) for speech in recordings[: GROUP * GROUPS]]
    groups = [range(start, start + GROUP) for start in range(0, GROUP * GROUPS, GROUP)]
    tests = [
        test for number, group in enumerate(groups) for test in _tests(number, [recordings[i] for i in group], embed)
    ]
    enrolled = [pooled([takes[i]], {number}) for number, group in enumerate(groups) for i in group]
    enrolled += [pooled([takes[i] for i in group], {number}) for number, group in enumerate(groups)]
    enrolled += [
        pooled([takes[i] for i in (*groups[a], *groups[b])], {a, b}) for a, b in combinations(range(GROUPS), 2)
    ]
    return Voice(tuple(enrolled), tuple(tests))


def trials(voices: Sequence[Voice]) -> Trials:
    """Every enrolment against every test of every speaker, but for tests that share a recording with it."""
    columns: dict[str, list[Any]] = {name: [] for name in Trials.__dataclass_fields__}
    for owner, own in enumerate(voices):
        for speaker, other in enumerate(voices):
            for enrolled in own.enrolled:
                for test in other.tests:
                    if owner == speaker and test.group in enrolled.groups:
                        continue
                    _add(columns, owner, speaker, enrolled, test)
    return Trials(**{name: np.array(values) for name, values in columns.items()})


def _add(columns: Mapping[str, list[Any]], owner: int, speaker: int, enrolled: Enrolled, test: Test) -> None:
    columns["cosine"].append(float(enrolled.direction @ test.embedding))
    columns["shorter"].append(min(enrolled.seconds, test.seconds))
    columns["longer"].append(max(enrolled.seconds, test.seconds))
    columns["enrolled"].append(owner)
    columns["tested"].append(speaker)
    columns["enrolments"].append(enrolled.count)
    columns["length"].append(test.length)


def _tests(group: int, recordings: Sequence[Samples], embed: Embed) -> list[Test]:
    joined = np.concatenate(recordings)
    tests = [Test(group, "full", embed(joined), len(joined) / SAMPLE_RATE)]
    for seconds in CUT_SECONDS:
        size = seconds * SAMPLE_RATE
        pieces = [joined[start : start + size] for start in range(0, CUTS * size, size)]
        tests += [Test(group, f"{seconds} s", embed(piece), seconds) for piece in pieces if len(piece) == size]
    return tests


def pooled(takes: Sequence[tuple[Vector, float]], groups: set[int]) -> Enrolled:
    """As ``Signature`` pools enrolments: weighted by their seconds."""
    total = np.sum([embedding * np.float32(seconds) for embedding, seconds in takes], axis=0)
    seconds = sum(seconds for _, seconds in takes)
    return Enrolled(frozenset(groups), len(takes), np.asarray(total / np.linalg.norm(total), np.float32), seconds)
