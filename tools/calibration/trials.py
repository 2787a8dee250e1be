"""Comparisons between enrolments and tests of many lengths, out of a few recordings of each speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Vector

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]

GROUP: Final = 3
"""Recordings joined into one long test, and pooled into one enrolment: a passphrase is enrolled three times."""
GROUPS: Final = 3
CUT_SECONDS: Final = (4, 2, 1)
CUTS: Final = 3
"""Tests of each length cut from one joined recording."""


@dataclass(frozen=True)
class Test:
    groups: frozenset[int]
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
    """One comparison an element. ``enrolled`` and ``tested`` number the speakers, ``channel`` the tests' channels."""

    cosine: Numbers
    shorter: Numbers
    longer: Numbers
    enrolled: Whole
    tested: Whole
    enrolments: Whole
    length: npt.NDArray[np.str_]
    channel: Whole

    @property
    def same(self) -> Flags:
        return np.asarray(self.enrolled == self.tested)

    def where(self, chosen: Flags) -> Trials:
        return Trials(**{name: values[chosen] for name, values in vars(self).items()})

    def among(self, speakers: Sequence[int]) -> Trials:
        return self.where(np.isin(self.enrolled, speakers) & np.isin(self.tested, speakers))

    def of(self, enrolments: int, length: str) -> Trials:
        return self.where((self.enrolments == enrolments) & (self.length == length))

    def thinned(self, most: int) -> Trials:
        """About so many strangers, evenly spread, and every comparison of one speaker."""
        strangers = np.cumsum(~self.same)
        step = max(1, round(int(strangers[-1]) / most)) if len(strangers) else 1
        return self.where(self.same | (strangers % step == 0))


def joined(parts: Sequence[Trials]) -> Trials:
    return Trials(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def trials(voices: Sequence[Voice], channel: int = 0) -> Trials:
    """Every enrolment against every test of every speaker, but for tests that share a recording with it."""
    enrolled = [(owner, one) for owner, voice in enumerate(voices) for one in voice.enrolled]
    tests = [(speaker, one) for speaker, voice in enumerate(voices) for one in voice.tests]
    shared = np.array([[bool(one.groups & test.groups) for _, test in tests] for _, one in enrolled])
    owners, speakers = (np.array([number for number, _ in some]) for some in (enrolled, tests))
    at, tested_at = np.nonzero(~(shared & (owners[:, None] == speakers)))
    cosines = np.stack([one.direction for _, one in enrolled]) @ np.stack([one.embedding for _, one in tests]).T
    known = np.array([one.seconds for _, one in enrolled])[at]
    spoken = np.array([one.seconds for _, one in tests])[tested_at]
    return Trials(
        cosine=np.asarray(cosines[at, tested_at], np.float64),
        shorter=np.minimum(known, spoken),
        longer=np.maximum(known, spoken),
        enrolled=owners[at],
        tested=speakers[tested_at],
        enrolments=np.array([one.count for _, one in enrolled])[at],
        length=np.array([one.length for _, one in tests])[tested_at],
        channel=np.full(len(at), channel),
    )
