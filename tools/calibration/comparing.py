"""A site's comparisons: which recordings enrol a speaker, which test him, and the score of each against each.

Signatures are added up by the domain's own ``Signature`` and scored by the service's own model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.calibration import Calibration
from shared.domain.profile import Signature
from shared.inference.model_card import SpeakerCard
from shared.inference.speaker_model import speaker_model
from tools.calibration.curves import Scored
from tools.calibration.hearing import Heard
from tools.calibration.manifest import Role, Row
from tools.calibration.trials import Trials

Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]

COSINES: Final = Calibration(0.0, 1.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.0, "nothing", 0, 0)
"""Scores whose log-odds are the cosines: what a calibration is fitted on, through the service's own comparison."""
MAX_COMPARISONS: Final = 2_000_000
"""Beyond this each test meets only some of the strangers' signatures, drawn by chance; its own it always meets."""


@dataclass(frozen=True)
class Enrolled:
    """A speaker's signature and the numbers of the recordings in it."""

    speaker: int
    rows: frozenset[int]
    session: str
    signature: Signature


@dataclass(frozen=True)
class Tested:
    speaker: int
    row: int
    session: str
    heard: Heard

    @property
    def length(self) -> str:
        return self.heard.length

    @property
    def speech_seconds(self) -> float:
        return self.heard.speech_seconds


@dataclass(frozen=True)
class Comparisons:
    """One comparison an element. ``enrolled_at`` and ``tested_at`` number the signatures and the tests."""

    trials: Trials
    logit: npt.NDArray[np.float64]
    enrolled_at: Whole
    tested_at: Whole

    @property
    def scored(self) -> Scored:
        return Scored(self.logit, self.trials.enrolled, self.trials.tested)

    def where(self, chosen: Flags) -> Comparisons:
        return Comparisons(
            self.trials.where(chosen), self.logit[chosen], self.enrolled_at[chosen], self.tested_at[chosen]
        )

    def of(self, length: str) -> Comparisons:
        return self.where(self.trials.length == length)


@dataclass(frozen=True)
class Material:
    """``speakers`` in the order of their numbers; ``unenrolled`` had too few recordings and are strangers only."""

    speakers: tuple[str, ...]
    enrolled: tuple[Enrolled, ...]
    tests: tuple[Tested, ...]
    unenrolled: tuple[str, ...]


def material(rows: Sequence[Row], heard: Sequence[Sequence[Heard]], enrollments: int, model_id: str) -> Material:
    """Signatures of so many recordings each, from one session, and tests out of everything that was not refused.

    Where a speaker has recordings of the role ``enroll``, these alone make one signature, whatever their number.
    """
    speakers = tuple(dict.fromkeys(row.speaker for row in rows))
    usable = [index for index, results in enumerate(heard) if results[0].embedding is not None]
    enrolled: list[Enrolled] = []
    for number, speaker in enumerate(speakers):
        own = [index for index in usable if rows[index].speaker == speaker]
        for chosen in _signature_rows(rows, own, enrollments):
            takes = [heard[index][0].enrollment(model_id) for index in chosen]
            signature = reduce(Signature.plus, takes[1:], takes[0].signature)
            enrolled.append(Enrolled(number, frozenset(chosen), rows[chosen[0]].session, signature))
    tests = [
        Tested(speakers.index(rows[index].speaker), index, rows[index].session, one)
        for index in usable
        if rows[index].role is not Role.ENROLL
        for one in heard[index]
    ]
    numbers = {one.speaker for one in enrolled}
    lacking = tuple(name for number, name in enumerate(speakers) if number not in numbers)
    return Material(speakers, tuple(enrolled), tuple(tests), lacking)


def _signature_rows(rows: Sequence[Row], own: Sequence[int], enrollments: int) -> list[list[int]]:
    marked = [index for index in own if rows[index].role is Role.ENROLL]
    if marked:
        return [marked]
    sessions: dict[str, list[int]] = {}
    for index in own:
        if rows[index].role is not Role.TEST:
            sessions.setdefault(rows[index].session, []).append(index)
    return [
        indices[start : start + enrollments]
        for indices in sessions.values()
        for start in range(0, len(indices) - enrollments + 1, enrollments)
    ]


def compare(material: Material, card: SpeakerCard, most: int = MAX_COMPARISONS) -> Comparisons:
    """Every signature against every test that shares no recording with it and, where sessions are named, no session."""
    signatures = [one.signature for one in material.enrolled]
    owner = np.array([one.speaker for one in material.enrolled])
    seconds = np.array([signature.speech_seconds for signature in signatures])
    random = np.random.default_rng(0)
    share = min(1.0, most / max(1, len(signatures) * len(material.tests)))
    models = [speaker_model(one) for one in (card, replace(card, calibration=COSINES))]
    parts = []
    for number, test in enumerate(material.tests):
        allowed = np.array([_independent(one, test) for one in material.enrolled])
        allowed &= (owner == test.speaker) | (random.random(len(owner)) < share)
        (at,) = np.nonzero(allowed)
        chosen = [signatures[index] for index in at]
        assert test.heard.embedding is not None
        heard = test.heard.embedding, test.speech_seconds
        scores, bare = (np.array(model.scores(*heard, chosen), np.float64) for model in models)
        parts.append((number, at, scores, log_odds(bare)))
    at = np.concatenate([part[1] for part in parts])
    tested_at = np.concatenate([np.full(len(part[1]), part[0]) for part in parts])
    tests = material.tests
    spoken = np.array([test.speech_seconds for test in tests])[tested_at]
    trials = Trials(
        cosine=np.concatenate([part[3] for part in parts]),
        shorter=np.minimum(spoken, seconds[at]),
        longer=np.maximum(spoken, seconds[at]),
        enrolled=owner[at],
        tested=np.array([test.speaker for test in tests])[tested_at],
        enrolments=np.array([len(one.rows) for one in material.enrolled])[at],
        length=np.array([test.length for test in tests])[tested_at],
        channel=np.zeros(len(at), np.int64),
    )
    return Comparisons(trials, log_odds(np.concatenate([part[2] for part in parts])), at, tested_at)


def log_odds(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """ln(s / (1 - s)) of scores in [0, 1]; a score of exactly 0 or 1 stands for the nearest number beside it."""
    inside = np.clip(scores, 1e-300, 1.0 - 2.0**-53)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _independent(enrolled: Enrolled, test: Tested) -> bool:
    if enrolled.speaker != test.speaker:
        return True
    return test.row not in enrolled.rows and not (test.session and test.session == enrolled.session)
