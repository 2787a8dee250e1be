"""The development speech as enrolments and tests: pieces of audio, pauses left in, that any system can be given."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.domain.limits import AudioRules
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.services.ports.hearing import Listener
from tools.calibration.hearing import FULL, as_wav, stretches
from tools.calibration.progress import progress
from tools.calibration.trials import CUT_SECONDS, CUTS, GROUP, GROUPS

ANY: Final = AudioRules(0.0, 600.0, 0.0, -100.0, 100.0)
"""Bounds nothing: for finding where to cut."""
MIN_SPEAKERS: Final = 5
"""Speakers with nine recordings that a data set must have to be measured."""
LONG_SECONDS: Final = 20
LONG: Final = f"{LONG_SECONDS} s"
"""Tests out of two groups joined, as much speech as they have up to this; the third group enrols."""


@dataclass(frozen=True)
class Piece:
    """``number`` counts the pieces of one length from the same recordings; of those from two groups, all."""

    groups: frozenset[int]
    length: str
    number: int
    samples: Samples = field(repr=False)


@dataclass(frozen=True)
class Speaker:
    """``takes`` are single recordings with their groups, for enrolment; ``tests`` come from the joined groups.

    A speaker with fewer than nine recordings has one group: a stranger to everybody else, and a candidate.
    ``gender`` is as the manifest has it, or empty.
    """

    name: str
    gender: str
    takes: tuple[Piece, ...]
    tests: tuple[Piece, ...]

    @property
    def is_stranger(self) -> bool:
        return len(self.takes) < GROUP * GROUPS


@dataclass(frozen=True)
class DataSet:
    name: str
    speakers: tuple[Speaker, ...]

    @property
    def enrolled(self) -> tuple[Speaker, ...]:
        return tuple(speaker for speaker in self.speakers if not speaker.is_stranger)


def data_sets(manifest: Path, listener: Listener) -> list[DataSet]:
    """The manifest's sources by the first word of their names, those with enough speakers, in its order."""
    found: dict[str, dict[str, list[Path]]] = {}
    genders: dict[str, str] = {}
    with manifest.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            source = (row.get("source") or manifest.parent.name).split("-")[0]
            found.setdefault(source, {}).setdefault(row["speaker"], []).append(manifest.parent / row["path"])
            genders[row["speaker"]] = row.get("gender") or ""
    sets = []
    for name, speakers in found.items():
        if sum(len(paths) >= GROUP * GROUPS for paths in speakers.values()) >= MIN_SPEAKERS:
            items = progress(list(speakers.items()), f"cutting {name}")
            sets.append(DataSet(name, tuple(_speaker(who, genders[who], paths, listener) for who, paths in items)))
    return sets


def _speaker(name: str, gender: str, paths: Sequence[Path], listener: Listener) -> Speaker:
    recordings = [read(path) for path in paths[: GROUP * GROUPS]]
    first = frozenset({0})
    if len(recordings) < GROUP * GROUPS:
        alone = (Piece(first, FULL, 0, recordings[0]),)
        return Speaker(name, gender, alone, tuple(_tests(first, recordings[0], listener, 1)))
    takes = tuple(
        Piece(frozenset({number // GROUP}), FULL, number % GROUP, one) for number, one in enumerate(recordings)
    )
    joined = [np.concatenate(recordings[start : start + GROUP]) for start in range(0, len(recordings), GROUP)]
    tests = [test for group in range(GROUPS) for test in _tests(frozenset({group}), joined[group], listener, CUTS)]
    for number, pair in enumerate(combinations(range(GROUPS), 2)):
        both = np.concatenate([joined[group] for group in pair])
        (long,) = [*stretches(listener.listen(as_wav(both), None, ANY), LONG_SECONDS, 1), both][:1]
        tests.append(Piece(frozenset(pair), LONG, number, long))
    return Speaker(name, gender, takes, tuple(tests))


def _tests(groups: frozenset[int], joined: Samples, listener: Listener, most: int) -> Iterator[Piece]:
    utterance = listener.listen(as_wav(joined), None, ANY)
    yield Piece(groups, FULL, 0, joined)
    for seconds in CUT_SECONDS:
        for number, samples in enumerate(stretches(utterance, seconds, most)):
            yield Piece(groups, f"{seconds} s", number, samples)


def read(path: Path) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path.name} has {rate} Hz, expected {SAMPLE_RATE}.")
    return np.asarray(samples, np.float32)
