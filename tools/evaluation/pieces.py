"""The development speech as enrolments and tests: pieces of audio, pauses left in, that any system can be given."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.domain.limits import AudioRules
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.services.ports import Listener
from tools.calibration.hearing import FULL, as_wav, stretches
from tools.calibration.progress import progress
from tools.calibration.trials import CUT_SECONDS, CUTS, GROUP, GROUPS

ANY: Final = AudioRules(0.0, 600.0, 0.0, -100.0, 100.0)
"""Bounds nothing: for finding where to cut."""
MIN_SPEAKERS: Final = 5
"""Speakers with nine recordings that a data set must have to be measured."""


@dataclass(frozen=True)
class Piece:
    """``number`` counts the pieces of one length from one group of recordings."""

    group: int
    length: str
    number: int
    samples: Samples = field(repr=False)


@dataclass(frozen=True)
class Speaker:
    """``takes`` are single recordings with their groups, for enrolment; ``tests`` come from the joined groups.

    A speaker with fewer than nine recordings has one group: a stranger to everybody else, and a candidate.
    """

    name: str
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
    with manifest.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            source = (row.get("source") or manifest.parent.name).split("-")[0]
            found.setdefault(source, {}).setdefault(row["speaker"], []).append(manifest.parent / row["path"])
    sets = []
    for name, speakers in found.items():
        if sum(len(paths) >= GROUP * GROUPS for paths in speakers.values()) >= MIN_SPEAKERS:
            items = list(speakers.items())
            made = [_speaker(who, paths, listener) for who, paths in progress(items, f"cutting {name}")]
            sets.append(DataSet(name, tuple(made)))
    return sets


def _speaker(name: str, paths: Sequence[Path], listener: Listener) -> Speaker:
    recordings = [_read(path) for path in paths[: GROUP * GROUPS]]
    if len(recordings) < GROUP * GROUPS:
        return Speaker(name, (Piece(0, FULL, 0, recordings[0]),), tuple(_tests(0, recordings[:1], listener, 1)))
    takes = tuple(Piece(number // GROUP, FULL, number % GROUP, one) for number, one in enumerate(recordings))
    tests = [
        test
        for group in range(GROUPS)
        for test in _tests(group, recordings[group * GROUP : (group + 1) * GROUP], listener, CUTS)
    ]
    return Speaker(name, takes, tuple(tests))


def _tests(group: int, recordings: Sequence[Samples], listener: Listener, most: int) -> list[Piece]:
    joined = np.concatenate(recordings)
    utterance = listener.listen(as_wav(joined), None, ANY)
    cut = [
        Piece(group, f"{seconds} s", number, samples)
        for seconds in CUT_SECONDS
        for number, samples in enumerate(stretches(utterance, seconds, most))
    ]
    return [Piece(group, FULL, 0, joined), *cut]


def _read(path: Path) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path.name} has {rate} Hz, expected {SAMPLE_RATE}.")
    return np.asarray(samples, np.float32)
